using System.Text;
using ActorProfiler.Collector.Processes;

namespace ActorProfiler.Tests.Processes;

public class MapsParserTests
{
    [Fact]
    public void Parses_a_line_of_a_file()
    {
        var mapping = MapsParser.ParseLine("7f1c2a000000-7f1c2a022000 r-xp 00026000 fd:01 1835012                    /usr/lib/a b.so (deleted)"u8);

        Assert.Equal(
            new MemoryMapping(0x7f1c2a000000, 0x7f1c2a022000, 0x26000, true, 0xfdul << 32 | 1, 1835012, "/usr/lib/a b.so (deleted)"), mapping);
    }

    [Fact]
    public void Parses_memory_without_a_file()
    {
        Assert.Equal("", MapsParser.ParseLine("1000-2000 rwxp 00000000 00:00 0 "u8).Path);
        Assert.Equal("[vsyscall]", MapsParser.ParseLine("ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]"u8).Path);
    }

    [Fact]
    public void Turns_an_escaped_newline_back_into_one() =>
        Assert.Equal("/tmp/a\nb", MapsParser.ParseLine("1000-2000 r-xp 00000000 00:00 5 /tmp/a\\012b"u8).Path);

    [Fact]
    public void Keeps_executable_mappings_up_to_the_limit()
    {
        var maps = "1000-2000 r--p 00000000 00:00 1 /a\n2000-3000 r-xp 00000000 00:00 1 /a\n4000-5000 r-xp 00000000 00:00 1 /b\n"u8;

        Assert.Equal([0x2000ul, 0x4000ul], MapsParser.ParseExecutable(maps, 10).Select(mapping => mapping.Start));
        Assert.Single(MapsParser.ParseExecutable(maps, 1));
    }

    [Fact]
    public void Quotes_a_line_it_cannot_read()
    {
        var error = Assert.Throws<FormatException>(() => MapsParser.ParseLine("nonsense"u8));

        Assert.Contains("nonsense", error.Message, StringComparison.Ordinal);
        Assert.Throws<FormatException>(() => MapsParser.ParseLine("2000-1000 r-xp 00000000 00:00 1 /a"u8));
    }

    [Fact]
    public void Survives_damaged_lines() => Mutations.Try(
        Encoding.ASCII.GetBytes("7f1c2a000000-7f1c2a022000 r-xp 00026000 fd:01 1835012 /usr/lib/a.so\n1000-2000 r-xp 0 00:00 0 \n"),
        bytes => MapsParser.ParseExecutable(bytes, 100));
}
