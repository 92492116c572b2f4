using System.Text;
using ActorProfiler.Collector.Elf;
using ActorProfiler.Collector.Processes;
using ActorProfiler.Collector.Symbols;

namespace ActorProfiler.Tests.Symbols;

public sealed class PerfMapTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("perf-map").FullName;
    private readonly PerfMap _map = new();
    private readonly ProcStatus _status;

    public PerfMapTests()
    {
        Directory.CreateDirectory(Path.Combine(_root, "tmp"));
        File.WriteAllText(MapPath, "");
        using var root = SafeOpen.Root(_root)!;
        var opened = SafeOpen.Under(root, "/tmp/perf-7.map", 1);
        opened.Handle!.Dispose();
        _status = new ProcStatus(opened.Status.Owner, 7);
    }

    private string MapPath => Path.Combine(_root, "tmp/perf-7.map");

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private void Refresh(ProcStatus? status = null)
    {
        using var root = SafeOpen.Root(_root)!;
        _map.Refresh(root, status ?? _status);
    }

    private string? NameAt(ulong address) => _map.Find(address)?.Lines[0].Function.Name;

    [Fact]
    public void Names_code_by_range()
    {
        File.WriteAllText(MapPath, "1000 10 first method\r\n0x2000 0x20 second\nnonsense\n3000 0 empty\n");
        Refresh();

        Assert.Equal("first method", NameAt(0x100f));
        Assert.Null(NameAt(0x1010));
        Assert.Equal("second", NameAt(0x2000));
        Assert.Equal(2, _map.SkippedLines);
        Assert.Same(_map.Find(0x2000), _map.Find(0x2001));
        Assert.Equal(("[jit]", 0x2000ul), (_map.Find(0x2001)!.Module!.File, _map.Find(0x2001)!.Address));
    }

    [Fact]
    public void Lets_the_later_line_win_where_ranges_overlap()
    {
        File.WriteAllText(MapPath, "1000 100 old\n1040 20 new\n1080 10 one\n1080 10 two\n");
        Refresh();

        Assert.Equal(["old", "new", "old", "two", "old"], new ulong[] { 0x1000, 0x1040, 0x1060, 0x1080, 0x1090 }.Select(NameAt));
    }

    [Fact]
    public void Reads_what_was_appended_and_keeps_the_locations()
    {
        File.WriteAllText(MapPath, "1000 10 first\n2000 10 unfinis");
        Refresh();
        var first = _map.Find(0x1000);
        Assert.Null(NameAt(0x2000));

        File.AppendAllText(MapPath, "hed\n");
        Refresh();

        Assert.Equal("unfinished", NameAt(0x2000));
        Assert.Same(first, _map.Find(0x1000));
    }

    [Fact]
    public void Reads_a_rewritten_file_anew()
    {
        File.WriteAllText(MapPath, "1000 10 first\n");
        Refresh();
        File.WriteAllText(MapPath, "5000 10 other\n6000 10 more\n");
        Refresh();

        Assert.Null(NameAt(0x1000));
        Assert.Equal("other", NameAt(0x5000));
    }

    [Fact]
    public void Ignores_the_file_of_another_user()
    {
        const uint Owner = 4242;
        File.WriteAllText(MapPath, "1000 10 first\n");
        if (_status.EffectiveUser == 0)
        {
            // A file of root counts for every process.
            using var chown = System.Diagnostics.Process.Start("chown", [$"{Owner}", MapPath]);
            chown.WaitForExit();
            Assert.Equal(0, chown.ExitCode);
        }

        Refresh(_status with { EffectiveUser = _status.EffectiveUser + Owner + 1 });

        Assert.Null(NameAt(0x1000));
    }

    [Fact]
    public void Keeps_no_more_entries_than_its_bound()
    {
        var lines = new StringBuilder();
        for (var i = 0; i < PerfMap.EntryLimit + 10; i++)
        {
            lines.Append(System.Globalization.CultureInfo.InvariantCulture, $"{i * 16:x} 10 f\n");
        }

        File.WriteAllText(MapPath, lines.ToString());
        Refresh();

        Assert.Equal(PerfMap.EntryLimit, _map.Count);
        Assert.Equal(10, _map.SkippedLines);
    }

    [Fact]
    public void Survives_damaged_lines() => Mutations.Try(
        Encoding.UTF8.GetBytes("1000 100 old\n1040 20 new\nfffffffffffffff0 100 wraps\n0x1 0x2 x\n"),
        bytes =>
        {
            foreach (var range in bytes.AsSpan().Split((byte)'\n'))
            {
                _ = PerfMapParser.TryParse(bytes.AsSpan(range), out _, out _, out _);
            }
        });

    [Fact]
    public void Finds_the_same_owner_as_painting_the_ranges_one_by_one()
    {
        var random = new Random(1);
        for (var round = 0; round < 200; round++)
        {
            var entries = Enumerable.Range(0, 30).Select(_ => (ulong)random.Next(200)).Select(start => new PerfMapEntry(start, start + 1 + (ulong)random.Next(40), 0, 0)).ToList();
            var painted = Enumerable.Repeat(-1, 300).ToArray();
            for (var i = 0; i < entries.Count; i++)
            {
                painted.AsSpan((int)entries[i].Start, (int)(entries[i].End - entries[i].Start)).Fill(i);
            }

            var ranges = PerfMapRanges.Build(entries);

            Assert.Equal(painted, Enumerable.Range(0, 300).Select(at => ranges.Find((ulong)at)));
        }
    }
}
