using ActorProfiler.Collector.Elf;

namespace ActorProfiler.Tests.Elf;

public class ContentKeyTests
{
    private static string KeyOf(string function, byte buildId = 0xab) => ElfFile.Read(
        new MemorySource(new ElfBuilder().GnuBuildId(buildId, 0xcd).Symbols((function, 0x401000, 16, 2, 1)).Build()), "/lib/a.so").ContentKey;

    [Fact]
    public void Is_the_same_for_copies_of_a_file()
    {
        Assert.StartsWith("abcd/", KeyOf("rows"), StringComparison.Ordinal);
        Assert.Equal(KeyOf("rows"), KeyOf("rows"));
    }

    [Fact]
    public void Tells_a_forged_file_of_equal_size_and_build_id_from_the_true_one()
    {
        Assert.NotEqual(KeyOf("rows"), KeyOf("evil"));
        Assert.NotEqual(KeyOf("rows"), KeyOf("rows", buildId: 0xac));
    }

    [Fact]
    public void Is_empty_without_a_build_id() =>
        Assert.Equal("", ElfFile.Read(new MemorySource(new ElfBuilder().Build()), "/bin/test").ContentKey);
}
