using ActorProfiler.Collector.Elf;
using ActorProfiler.Collector.Interpreters.Jit;
using ActorProfiler.Collector.Processes;
using ActorProfiler.Collector.Sampling;
using ActorProfiler.Collector.Sampling.Native;

namespace ActorProfiler.Tests.Sampling;

/// <summary>Real BPF programs on real processes.</summary>
public sealed class SamplingSessionTests : IAsyncDisposable
{
    private readonly ElfFiles _files = new();
    private readonly ProcessRoots _roots = new();
    private readonly JitNames _jit;

    public SamplingSessionTests() => _jit = new JitNames([], _roots, TimeProvider.System);

    private sealed class EveryProcess : IProcessPolicy
    {
        public ProcessDecision Decide(KnownProcess process) => new(IsProfiled: true);

        public void Forget(ProcessIdentity process)
        {
        }
    }

    [Fact]
    public void Accounts_for_every_tick_and_finds_the_busy_program()
    {
        Requirements.Bpf();
        using var busy = TestPrograms.Start(TestPrograms.CompileC("split", "-O2", "-fno-omit-frame-pointer"), "20");
        using var session = new SamplingSession(new SamplingOptions(SampleRate: 997), new EveryProcess(), _files, _jit, TimeProvider.System);

        var intervals = Sample(session, busy, TimeSpan.FromSeconds(0.5));

        var ticks = intervals.Sum(interval => interval.Counts.Ticks);
        var recorded = intervals.Sum(interval => interval.Counts.Recorded);
        var dropped = intervals.Sum(interval => interval.Counts.Dropped.Values.Sum());
        Assert.Equal(ticks, recorded + dropped);
        Assert.DoesNotContain(DropReasons.RingFull, intervals.SelectMany(interval => interval.Counts.Dropped.Keys));

        var ofBusy = intervals.SelectMany(interval => interval.Stacks).Where(counted => counted.Stack.Process.Identity.Pid == busy.Pid).ToList();
        Assert.True(ofBusy.Sum(counted => counted.Ticks) > 200, $"{ofBusy.Sum(counted => counted.Ticks)} ticks of the busy program");
        Assert.All(ofBusy, counted => Assert.NotNull(counted.Stack.Process.Image));
        Assert.True(ofBusy.Where(counted => counted.Stack.UserFrames >= 4).Sum(counted => counted.Ticks) > 150, "stacks are too short");
    }

    [Fact]
    public void Walks_processes_that_are_gone_before_they_can_be_read()
    {
        Requirements.Bpf();
        var path = TestPrograms.CompileC("brief", "-O2", "-fomit-frame-pointer");
        using var session = new SamplingSession(new SamplingOptions(SampleRate: 997), new EveryProcess(), _files, _jit, TimeProvider.System);
        session.Start();
        var pids = new HashSet<int>();
        for (var i = 0; i < 10; i++)
        {
            using var brief = TestPrograms.Start(path, "5");
            pids.Add(brief.Pid);
            brief.Process.WaitForExit();
        }

        session.Stop();
        var ofBrief = session.Collect().Stacks.Where(counted => pids.Contains(counted.Stack.Process.Identity.Pid) && counted.Stack.Process.Comm == "brief").ToList();

        // Nobody emptied a buffer while they lived. inner, outer, main, two of libc, _start; at the end a process has no stack any more.
        var ticks = ofBrief.Sum(counted => counted.Ticks);
        var whole = ofBrief.Where(counted => counted.Stack is { UserFrames: >= 4, Ending: WalkEnding.Complete, Process.Image: not null }).Sum(counted => counted.Ticks);
        Assert.True(ticks >= 30, $"{ticks} ticks");
        Assert.True(whole >= ticks * 0.8, $"{whole} of {ticks} ticks are walked to the end");
    }

    [Fact]
    public void Profiles_only_the_processes_asked_for()
    {
        Requirements.Bpf();
        var path = TestPrograms.CompileC("split", "-O2");
        using var wanted = TestPrograms.Start(path, "20");
        using var other = TestPrograms.Start(path, "20");
        using var session = new SamplingSession(new SamplingOptions(SampleRate: 499), new EveryProcess(), _files, _jit, TimeProvider.System)
        {
            OnlyEntered = true,
        };
        Assert.True(session.Processes.Want(wanted.Pid));

        var intervals = Sample(session, wanted, TimeSpan.FromSeconds(0.2));

        var stacks = intervals.SelectMany(interval => interval.Stacks).ToList();
        Assert.NotEmpty(stacks);
        Assert.All(stacks, counted => Assert.Equal(wanted.Pid, counted.Stack.Process.Identity.Pid));
        Assert.True(intervals.Sum(interval => interval.Counts.Dropped.GetValueOrDefault(DropReasons.NotTarget)) > 0);
    }

    [Fact]
    public void Follows_cpus_that_go_and_come_back()
    {
        Requirements.Bpf();
        using var session = new SamplingSession(new SamplingOptions(), new EveryProcess(), _files, _jit, TimeProvider.System);
        var online = OnlineCpus.Read();
        session.Start();
        Assert.Equal(online.Count, session.ClockCount);

        session.FollowCpus([online[0]]);
        Assert.Equal(1, session.ClockCount);

        session.FollowCpus(online);
        Assert.Equal(online.Count, session.ClockCount);
    }

    [Fact]
    public void Walks_a_file_whose_tables_are_beyond_the_budget_by_frame_pointers_and_does_not_try_it_again()
    {
        Requirements.Bpf();
        var path = TestPrograms.CompileC("split", "-O2", "-fno-omit-frame-pointer", "-static");
        SpoilFrames(path);
        using var session = new SamplingSession(new SamplingOptions(SampleRate: 997), new EveryProcess(), _files, _jit, TimeProvider.System) { OnlyEntered = true };
        using (var first = TestPrograms.Start(path, "60"))
        {
            Assert.True(session.Processes.Want(first.Pid));
            var stacks = Sample(session, first, TimeSpan.FromSeconds(0.3)).SelectMany(interval => interval.Stacks).ToList();

            // spin, a function of rows, run_query and main keep frame pointers.
            Assert.True(stacks.Where(counted => counted.Stack.UserFrames >= 4).Sum(counted => counted.Ticks) > 100, "stacks are too short");
        }

        Assert.Equal([KeyValuePair.Create("budget", 1L)], session.Tables.Refused);
        var compiled = session.Tables.Compiled;
        using var second = TestPrograms.Start(path, "60");
        Assert.True(session.Processes.Want(second.Pid));
        Sample(session, second, TimeSpan.FromSeconds(0.1));
        Assert.Equal(compiled, session.Tables.Compiled);
    }

    public async ValueTask DisposeAsync()
    {
        await _jit.DisposeAsync();
        _roots.Dispose();
        _files.Dispose();
    }

    /// <summary>Makes every frame description one that names none as its common part.</summary>
    private static void SpoilFrames(string path)
    {
        var bytes = File.ReadAllBytes(path);
        var frames = ElfFile.Read(new MemorySource(bytes), path).Section(".eh_frame")!.Value;
        Assert.True(frames.Size > 20_000);
        byte[] entry = [8, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0];
        for (var rest = bytes.AsSpan((int)frames.Offset, (int)frames.Size); rest.Length >= entry.Length; rest = rest[entry.Length..])
        {
            entry.CopyTo(rest);
        }

        File.WriteAllBytes(path, bytes);
    }

    /// <summary>Samples until a process has had so much CPU time, in intervals of a second, stops the clocks, and collects the rest.</summary>
    private static List<SampleInterval> Sample(SamplingSession session, TestPrograms.RunningProgram program, TimeSpan cpuTime)
    {
        var intervals = new List<SampleInterval>();
        session.Start();
        var atStart = program.Process.TotalProcessorTime;
        while (program.Process.TotalProcessorTime - atStart < cpuTime)
        {
            var started = TimeProvider.System.GetTimestamp();
            while (TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(1))
            {
                session.Poll(TimeSpan.FromMilliseconds(100));
            }

            intervals.Add(session.Collect());
            program.Process.Refresh();
        }

        session.Stop();
        intervals.Add(session.Collect());
        return intervals;
    }
}
