using System.Diagnostics;
using ActorProfiler.Collector.Elf;
using ActorProfiler.Collector.Processes;

namespace ActorProfiler.Tests.Processes;

public sealed class ProcessRootsTests : IDisposable
{
    private readonly ProcessRoots _roots = new();

    public void Dispose() => _roots.Dispose();

    [Fact]
    public void Opens_the_root_of_a_process_that_has_ended_as_long_as_it_is_held()
    {
        var process = EndedAfter(_roots.Hold);

        using (var root = _roots.Open(process))
        using (var file = SafeOpen.Under(root!, "/etc/passwd", 1 << 20).Handle)
        {
            Assert.NotNull(file);
        }

        _roots.Release(process);
        Assert.Null(_roots.Open(process));
        Assert.Equal(0, _roots.Count);
    }

    [Fact]
    public void Opens_no_root_of_a_process_that_has_ended_and_was_not_held()
    {
        var process = EndedAfter(running =>
        {
            using var root = _roots.Open(running);
            Assert.NotNull(root);
        });

        Assert.Null(_roots.Open(process));
    }

    [Fact]
    public void Opens_no_root_of_a_later_process_with_the_pid()
    {
        var self = new ProcessIdentity(Environment.ProcessId, ProcFiles.StartTime(Environment.ProcessId)!.Value, 0);

        Assert.Null(_roots.Open(self with { StartTime = self.StartTime - 1_000_000_000 }));
    }

    private static ProcessIdentity EndedAfter(Action<ProcessIdentity> act)
    {
        using var program = Process.Start("sleep", "60");
        var identity = new ProcessIdentity(program.Id, ProcFiles.StartTime(program.Id)!.Value, 0);
        act(identity);
        program.Kill();
        program.WaitForExit();
        return identity;
    }
}
