using System.Buffers.Binary;
using System.Collections.Immutable;

namespace ActorProfiler.Collector.Interpreters;

/// <summary>
/// Reads <c>_Py_DebugOffsets</c>, with which CPython describes itself from 3.13 on: the first bytes of <c>_PyRuntime</c>, as they are in the file.
/// </summary>
/// <remarks>Source: Include/internal/pycore_debug_offsets.h of CPython 3.13 to 3.15. A sequence of 64-bit numbers behind a cookie.</remarks>
internal static class PythonDebugOffsets
{
    /// <summary>Bytes of the part that is read.</summary>
    public const int Size = 64 * sizeof(ulong);

    private static ReadOnlySpan<byte> Cookie => "xdebugpy"u8;

    /// <summary>Where the numbers stand that differ between versions; the others follow from them.</summary>
    private readonly record struct Places(int InterpreterNext, int InterpreterThreads, int Thread, int ThreadId, int Frame, int Code, int Object);

    private static readonly ImmutableDictionary<int, Places> _places = new Dictionary<int, Places>
    {
        [13] = new(InterpreterNext: 8, InterpreterThreads: 9, Thread: 19, ThreadId: 24, Frame: 28, Code: 34, Object: 44),
        [14] = new(InterpreterNext: 8, InterpreterThreads: 9, Thread: 22, ThreadId: 27, Frame: 31, Code: 39, Object: 50),
        [15] = new(InterpreterNext: 8, InterpreterThreads: 9, Thread: 22, ThreadId: 30, Frame: 39, Code: 47, Object: 58),
    }.ToImmutableDictionary();

    /// <summary>The layout; its <see cref="PythonLayout.Interpreters"/> is the offset in <c>_PyRuntime</c>.</summary>
    /// <returns>Null, with the reason, for a version that is not known. A build without the interpreter's lock differs in its offsets alone.</returns>
    /// <exception cref="FormatException">The bytes are no such description.</exception>
    public static PythonLayout? Parse(ReadOnlySpan<byte> bytes, out string reason)
    {
        if (bytes.Length < Size || !bytes.StartsWith(Cookie))
        {
            throw new FormatException($"_PyRuntime begins with {Convert.ToHexString(bytes[..Math.Min(8, bytes.Length)])}, expected the cookie xdebugpy");
        }

        var version = (int)(Number(bytes, 1) >> 16 & 0xff);
        if (!_places.TryGetValue(version, out var at))
        {
            reason = "python_version";
            return null;
        }

        reason = "";
        var isFreeThreaded = Number(bytes, 2) != 0;
        return PythonLayout.TextBehind(Offset(bytes, at.Object), hasWideInterned: isFreeThreaded && version > 13) with
        {
            Interpreters = Number(bytes, 5),
            InterpreterNext = Offset(bytes, at.InterpreterNext),
            InterpreterThreads = Offset(bytes, at.InterpreterThreads),
            ThreadPrevious = Offset(bytes, at.Thread + 1),
            ThreadNext = Offset(bytes, at.Thread + 2),
            ThreadInterpreter = Offset(bytes, at.Thread + 3),
            ThreadFrame = Offset(bytes, at.Thread + 4),
            ThreadId = Offset(bytes, at.ThreadId),
            CFrameFrame = PythonLayout.Absent,
            FramePrevious = Offset(bytes, at.Frame + 1),
            FrameCode = Offset(bytes, at.Frame + 2),
            FrameEntry = Offset(bytes, at.Frame + 5),
            Entry = PythonEntry.Shim,
            CodeFile = Offset(bytes, at.Code + 1),
            CodeName = Offset(bytes, at.Code + 3),
            CodeFirstLine = Offset(bytes, at.Code + 5),
        };
    }

    private static ulong Number(ReadOnlySpan<byte> bytes, int index) =>
        BinaryPrimitives.ReadUInt64LittleEndian(bytes[(index * sizeof(ulong))..]);

    private static uint Offset(ReadOnlySpan<byte> bytes, int index)
    {
        const ulong Largest = 1 << 20;
        var offset = Number(bytes, index);
        return offset <= Largest ? (uint)offset : throw new FormatException($"_Py_DebugOffsets: number {index} is {offset}, too large for an offset");
    }
}
