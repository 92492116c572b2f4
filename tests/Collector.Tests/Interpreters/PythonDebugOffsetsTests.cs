using System.Buffers.Binary;
using ActorProfiler.Collector.Interpreters;

namespace ActorProfiler.Tests.Interpreters;

/// <summary>On the first 512 bytes of <c>_PyRuntime</c> in CPython 3.13.0, 3.14.10 and 3.15.2 for x86-64.</summary>
public class PythonDebugOffsetsTests
{
    [Theory]
    [InlineData("3.13", 632u, 72u, 152u, 70u)]
    [InlineData("3.14", 808u, 72u, 152u, 74u)]
    [InlineData("3.15", 936u, 72u, 176u, 74u)]
    public void Reads_where_threads_frames_and_code_are(string version, uint interpreters, uint threadFrame, uint threadId, uint frameEntry)
    {
        var layout = PythonDebugOffsets.Parse(Runtime(version), out var reason);

        Assert.Equal("", reason);
        Assert.Equal(
            PythonLayout.NewText with
            {
                Interpreters = interpreters,
                InterpreterNext = layout!.Value.InterpreterNext,
                InterpreterThreads = layout.Value.InterpreterThreads,
                ThreadPrevious = 0,
                ThreadNext = 8,
                ThreadInterpreter = 16,
                ThreadFrame = threadFrame,
                ThreadId = threadId,
                CFrameFrame = PythonLayout.Absent,
                FrameCode = 0,
                FramePrevious = 8,
                FrameEntry = frameEntry,
                Entry = PythonEntry.Shim,
                CodeFile = 112,
                CodeName = 128,
                CodeFirstLine = 68,
            },
            layout);
    }

    [Fact]
    public void Says_that_a_version_is_not_known()
    {
        var bytes = Runtime("3.14");
        bytes[8 + 2] = 99;

        Assert.Null(PythonDebugOffsets.Parse(bytes, out var reason));
        Assert.Equal("python_version", reason);
    }

    /// <summary>Its objects begin with 32 bytes, and from 3.14 on the bits of a string's state stand elsewhere.</summary>
    [Theory]
    [InlineData("3.13", 44, 1u << 6)]
    [InlineData("3.14", 50, 1u << 12)]
    public void Reads_the_text_of_a_build_without_the_interpreters_lock(string version, int objectSize, uint asciiBit)
    {
        var bytes = Runtime(version);
        bytes[2 * sizeof(ulong)] = 1;
        Assert.Equal(16, bytes[objectSize * sizeof(ulong)]);
        bytes[objectSize * sizeof(ulong)] = 32;

        var layout = PythonDebugOffsets.Parse(bytes, out _)!.Value;

        Assert.Equal((32u, 48u, 56u, 72u, asciiBit), (layout.TextLength, layout.TextState, layout.TextAscii, layout.TextCompact, layout.AsciiBit));
    }

    [Fact]
    public void Refuses_what_is_no_description_and_offsets_that_are_none()
    {
        var other = Runtime("3.14");
        other[0]++;
        Assert.Contains("xdebugpy", Assert.Throws<FormatException>(() => PythonDebugOffsets.Parse(other, out _)).Message, StringComparison.Ordinal);
        Assert.Throws<FormatException>(() => PythonDebugOffsets.Parse(Runtime("3.14").AsSpan(0, 500), out _));

        var large = Runtime("3.14");
        BinaryPrimitives.WriteUInt64LittleEndian(large.AsSpan(27 * sizeof(ulong)), 1UL << 40);
        Assert.Contains("number 27", Assert.Throws<FormatException>(() => PythonDebugOffsets.Parse(large, out _)).Message, StringComparison.Ordinal);
    }

    private static byte[] Runtime(string version) =>
        File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, $"testdata/python/pyruntime-{version}.bin"));
}
