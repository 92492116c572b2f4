using System.Text;
using ActorProfiler.Collector.Processes;

namespace ActorProfiler.Tests.Processes;

public class ProcFilesTests
{
    private static readonly int _self = Environment.ProcessId;

    [Fact]
    public void Reads_the_start_time_behind_a_name_with_parentheses_and_spaces()
    {
        var line = "42 (a) R (b c) S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 1234 0 0"u8;

        Assert.Equal(new ProcStat("a) R (b c", 'S', 1234), ProcStat.Parse(line));
    }

    [Theory]
    [InlineData("")]
    [InlineData("42 (a")]
    [InlineData("42 (a) S 1 2 3")]
    public void Refuses_a_malformed_stat_line(string line) =>
        Assert.Throws<FormatException>(() => ProcStat.Parse(Encoding.UTF8.GetBytes(line)));

    [Fact]
    public void Reads_owner_and_innermost_pid()
    {
        var status = "Name:\tx\nUid:\t0\t1000\t0\t0\nNSpid:\t4711\t12\t1\n"u8;

        Assert.Equal(new ProcStatus(1000, 1), ProcStatus.Parse(status));
        Assert.Throws<FormatException>(() => ProcStatus.Parse("Name:\tx\n"u8));
    }

    [Fact]
    public void Reads_this_process()
    {
        Assert.NotNull(ProcFiles.StartTime(_self));
        Assert.Equal(Environment.ProcessPath, ProcFiles.Executable(_self));
        Assert.NotEmpty(ProcFiles.Maps(_self)!);
        Assert.NotNull(ProcFiles.Comm(_self));
        Assert.NotNull(ProcFiles.Cgroup(_self));
        Assert.NotNull(ProcFiles.Status(_self));
    }

    [Fact]
    public void Has_nothing_of_a_process_that_is_gone()
    {
        const int Gone = int.MaxValue;

        Assert.Null(ProcFiles.Stat(Gone));
        Assert.Null(ProcFiles.Maps(Gone));
        Assert.Null(ProcFiles.Executable(Gone));
        Assert.False(ProcFiles.IsStill(new ProcessIdentity(Gone, 0, 0)));
    }
}
