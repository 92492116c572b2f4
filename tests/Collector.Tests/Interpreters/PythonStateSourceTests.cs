using ActorProfiler.Collector.Interpreters;

namespace ActorProfiler.Tests.Interpreters;

/// <summary>On the code of <c>PyGILState_GetThisThreadState</c> as compilers made it of several versions of CPython for x86-64.</summary>
public class PythonStateSourceTests
{
    [Theory]
    [InlineData("3.8, a library, calls by way of its PLT", 0x1b25b0, 0x372e00, "488b05c18616004883b86805000000740f488db870050000e9237aebff0f1f0031c0c3", 1396)]
    [InlineData("3.11, a program, optimised when it was linked", 0x4f7c30, 0xa5b740, "48833d503d5600000f841fc8f2ff8b3d503d5600e9a78af2ff0f1f8000000000", 596)]
    [InlineData("3.12, a library", 0x2d7c30, 0x643340, "488b05c9c0260053488d98080600004889dfe8d921e3ff85c0740d4889df5be9ec36e3ff0f1f400031c05bc3", 1548)]
    [InlineData("3.13, a library", 0x2940c0, 0x5294c0, "488b05e96b250053488d98700800004889dfe8d959dfff85c0740d4889df5be95c6ddfff0f1f400031c05bc3", 2164)]
    [InlineData("3.14, a program at a fixed address", 0x42c79a, 0xba07c0, "f30f1efa833d3b49770000740abfe010ba00e97f2e110031c0c3", 2340)]
    public void Finds_the_key_of_the_data_that_a_thread_keeps(string build, int address, int runtime, string code, int offset)
    {
        var source = Read(code, address, runtime);

        Assert.True(source == new PythonStateSource(PythonStateKind.Key, (ulong)(runtime + offset), 0), $"{build}: {source}");
    }

    [Theory]
    [InlineData("3.15, a program: at a fixed distance", 0x42fa7d, "f30f1efa64488b0425d8ffffffc3", PythonStateKind.Offset, -40L, 0u)]
    [InlineData("distance in the global offset table", 0x1100, "488b05c12e000064488b00c3", PythonStateKind.OffsetAt, 0x3fc8L, 0u)]
    [InlineData("global dynamic", 0x1110, "4883ec0866488d3da42e0000666648e80cffffff488b004883c408c3", PythonStateKind.ModuleAt, 0x3fc0L, 0u)]
    [InlineData("local dynamic", 0x1110, "4883ec08488d3d9d2e0000e810ffffff488b80080000004883c408c3", PythonStateKind.ModuleAt, 0x3fb8L, 8u)]
    [InlineData("TLS descriptor", 0x1110, "4883ec08488d05e52e0000ff1064488b004883c408c3", PythonStateKind.DescriptorAt, 0x4000L, 0u)]
    internal void Finds_the_thread_local_variable(string form, int address, string code, PythonStateKind kind, long at, uint further)
    {
        var source = Read(code, address, runtime: 0x4040);

        Assert.True(source == new PythonStateSource(kind, (ulong)at, further), $"{form}: {source}");
    }

    [Theory]
    [InlineData("returns nothing", "31c0c3")]
    [InlineData("never returns", "ebfe")]
    [InlineData("no instruction", "0606060606")]
    [InlineData("cut short", "488b05")]
    [InlineData("returns a word of memory", "488b05c12e0000c3")]
    [InlineData("a key far from the runtime", "488b05c9c02600488db800000070e9ec36e3ff")]
    public void Says_that_it_does_not_know_what_other_code_does(string form, string code)
    {
        var source = Read(code, 0x1000, runtime: 0x643340);

        Assert.True(source.Kind == PythonStateKind.None, $"{form}: {source}");
    }

    [Fact]
    public void Takes_any_bytes()
    {
        var random = new Random(1);
        var code = new byte[128];
        for (var i = 0; i < 5_000; i++)
        {
            random.NextBytes(code);
            PythonStateSource.Read(code, 0x1000, runtime: 0x4040);
            ThreadArrays.Read(code, 0x1000);
        }
    }

    private static PythonStateSource Read(string code, int address, int runtime) =>
        PythonStateSource.Read(Convert.FromHexString(code), (ulong)address, (ulong)runtime);
}
