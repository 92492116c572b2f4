using ActorProfiler.Collector.Elf;

namespace ActorProfiler.Tests.Elf;

public class ElfFileTests
{
    private static ElfFile Read(byte[] bytes) => ElfFile.Read(new MemorySource(bytes), "/bin/test");

    [Fact]
    public void Reads_sections_build_id_and_the_code_segment()
    {
        var file = Read(new ElfBuilder().GnuBuildId(0xab, 0xcd).Section(".text", 1, [1, 2, 3], address: 0x401000).Build());

        Assert.Equal("abcd", file.BuildId);
        Assert.Equal([1, 2, 3], file.ReadSection(file.Section(".text")!.Value, 100));
        Assert.Equal((0x401000ul, 0x403000ul, 0x1000ul), (file.Module.Start, file.Module.Limit, file.Module.Offset));
        Assert.True(file.IsCode(0x402fff));
        Assert.False(file.IsCode(0x403000));
    }

    [Fact]
    public void Reads_the_go_build_id_when_there_is_no_gnu_one()
    {
        var id = "aaaaaaaaaaaaaaaaaaaa/bbbbbbbbbbbbbbbbbbbb/cccccccccccccccccccc/dddddddddddddddddddd"u8;
        byte[] note = [4, 0, 0, 0, (byte)id.Length, 0, 0, 0, 4, 0, 0, 0, .. "Go\0\0"u8, .. id, 0];

        Assert.Equal(System.Text.Encoding.ASCII.GetString(id), Read(new ElfBuilder().Section(".note.go.buildid", 7, note).Build()).BuildId);
        byte[] redacted = [4, 0, 0, 0, 8, 0, 0, 0, 4, 0, 0, 0, .. "Go\0\0redacted"u8];
        Assert.Equal("", Read(new ElfBuilder().Section(".note.go.buildid", 7, redacted).Build()).BuildId);
    }

    [Fact]
    public void Translates_addresses_through_the_executable_segment()
    {
        var file = Read(new ElfBuilder().Build());

        Assert.Equal(0x401234ul, file.ToFileAddress(0x7f0000001000, 0x1000, 0x7f0000001234));
        Assert.Equal(0x402234ul, file.ToFileAddress(0x7f0000001000, 0x2000, 0x7f0000001234));
        Assert.Null(file.AddressOfOffset(0x3000));
    }

    [Fact]
    public void Chooses_the_code_segment_when_two_segments_share_a_page()
    {
        var bytes = new ElfBuilder().Build();
        bytes[64 + 32] = 0x80; // the data segment now ends inside the first code page, which begins at 1080 as lld lays it out
        bytes[64 + 33] = 0x10;
        bytes[120 + 8] = 0x80;
        bytes[120 + 16] = 0x80;

        Assert.Equal(0x401080ul, Read(bytes).ToFileAddress(0x7f0000001000, 0x1000, 0x7f0000001080));
    }

    [Fact]
    public void Says_what_is_wrong_with_a_file_that_is_not_elf()
    {
        var error = Assert.Throws<FormatException>(() => Read("#!/bin/sh\n"u8.ToArray()));

        Assert.Contains("/bin/test", error.Message, StringComparison.Ordinal);
        Assert.Contains("not an ELF file", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Refuses_a_section_that_claims_more_bytes_than_the_file_has()
    {
        var file = Read(new ElfBuilder().Section(".big", 1, [1]).Build());
        var section = file.Section(".big")!.Value;

        Assert.Throws<FormatException>(() => file.ReadSection(section with { Size = ulong.MaxValue }, int.MaxValue));
        Assert.Throws<FormatException>(() => file.ReadSection(section with { Offset = ulong.MaxValue, Size = 2 }, int.MaxValue));
        Assert.Throws<FormatException>(() => file.ReadSection(section with { Size = 11 }, 10));
    }

    [Fact]
    public void Survives_damaged_files() =>
        Mutations.Try(new ElfBuilder().GnuBuildId(1, 2, 3, 4).Symbols(("f", 0x401000, 16, 2, 1)).Build(), bytes => Read(bytes).Section(".symtab"));
}
