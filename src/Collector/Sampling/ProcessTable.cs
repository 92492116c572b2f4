using System.Text;
using ActorProfiler.Collector.Processes;
using ActorProfiler.Collector.Sampling.Native;
using ActorProfiler.Collector.Unwinding;

namespace ActorProfiler.Collector.Sampling;

/// <summary>
/// The processes that have been sampled: reads each at first sight, asks the policy, and tells the BPF programs what to do with it.
/// </summary>
/// <remarks>Used by the sampling thread only, but for <see cref="KnownProcess.Image"/>.</remarks>
internal sealed class ProcessTable(
    BpfMap entries, UnwindTableStore tables, ElfFiles files, IProcessPolicy policy, ProcessInterpreters interpreters, TimeProvider time)
{
    /// <summary>Rounds a process is remembered after its last sample, so that late stacks still find it.</summary>
    private const int RoundsKept = 3;

    private readonly Dictionary<ProcessIdentity, Tracked> _byIdentity = [];
    private readonly Dictionary<int, Tracked> _running = [];
    private readonly Dictionary<int, Tracked> _wanted = [];
    private long _round;

    private sealed class Tracked(KnownProcess process)
    {
        public KnownProcess Process => process;

        public ProcessDecision Decision { get; set; }

        public UnwindTableStore.PlacedMappings? Placed { get; set; }

        /// <summary>The table of code it has made itself.</summary>
        public UnwindTable? Generated { get; set; }

        /// <summary>As it was when it was announced; kept until it has been read again or has turned out to be gone.</summary>
        public ProcessImage? Early { get; set; }

        public RereadPause Reread { get; } = new();
    }

    public int Count => _byIdentity.Count;

    /// <summary>Processes that run and have been sampled.</summary>
    public int Running => _running.Count;

    /// <summary>Processes that were gone before they could be read, since the start.</summary>
    public long Missed { get; private set; }

    /// <summary>The process a stack record speaks of.</summary>
    public KnownProcess Of(StackRecord record)
    {
        var process = Track(new ProcessIdentity((int)record.Pid, record.StartTime, record.ExecId), record.Comm).Process;
        process.LastRound = _round;
        return process;
    }

    /// <summary>Reads a process as soon as it is announced: it may be gone before those announced earlier have been seen to.</summary>
    public void ReadEarly(in ProcessEvent happened)
    {
        var identity = new ProcessIdentity((int)happened.Pid, happened.StartTime, happened.ExecId);
        if (happened.Kind == EventKind.UnknownProcess && Track(identity, happened.Comm) is { Early: null, Process.Image: null } tracked)
        {
            tracked.Early = ProcessImage.Read(identity, files);
        }
    }

    public void On(in ProcessEvent happened)
    {
        var identity = new ProcessIdentity((int)happened.Pid, happened.StartTime, happened.ExecId);
        switch (happened.Kind)
        {
            case EventKind.UnknownProcess:
                Discover(Track(identity, happened.Comm));
                break;
            case EventKind.UnknownAddress when _byIdentity.TryGetValue(identity, out var tracked):
                tracked.Reread.Take(time);
                Discover(tracked);
                break;
            case EventKind.Exec or EventKind.Exit when _running.Remove((int)happened.Pid, out var ended):
                End(ended);
                break;
        }

        if (happened.Kind == EventKind.Exec && _wanted.ContainsKey((int)happened.Pid))
        {
            entries.Set((int)happened.Pid, new ProcessEntry { State = ProcessState.Wanted });
        }
    }

    /// <summary>Asks for a process by pid, now and after each exec. Its tables are in place before its first tick.</summary>
    /// <returns>False when it does not run.</returns>
    public bool Want(int pid)
    {
        if (ProcFiles.StartTime(pid) is not { } startTime)
        {
            return false;
        }

        var tracked = new Tracked(new KnownProcess(new ProcessIdentity(pid, startTime, ExecId: 0), ProcFiles.Comm(pid) ?? ""));
        tracked.Process.Image = ProcessImage.Read(tracked.Process.Identity, files);
        tracked.Decision = policy.Decide(tracked.Process);
        Tell(tracked, ProcessState.Wanted);
        _wanted[pid] = tracked;
        return true;
    }

    /// <summary>Asks the policy again about all running processes: targets or options have changed.</summary>
    public void Reconsider()
    {
        foreach (var tracked in _running.Values)
        {
            tracked.Decision = policy.Decide(tracked.Process);
            Tell(tracked, ProcessState.Profiled);
        }
    }

    /// <summary>Puts the tables of generated code in place that have been made meanwhile.</summary>
    public void TakeTables()
    {
        while (interpreters.TryTakeTable(out var process, out var table))
        {
            if (_byIdentity.TryGetValue(process, out var tracked) && !tracked.Process.HasEnded)
            {
                tracked.Generated = table;
                Tell(tracked, ProcessState.Profiled);
            }
        }
    }

    /// <summary>Ends an interval: forgets processes that have ended and were not seen for some time.</summary>
    public void EndRound()
    {
        _round++;
        foreach (var (identity, tracked) in _byIdentity)
        {
            if (tracked.Process.HasEnded && _round - tracked.Process.LastRound > RoundsKept)
            {
                ReleaseFiles(tracked.Process.Image);
                ReleaseFiles(tracked.Early);
                interpreters.Forget(identity);
                policy.Forget(identity);
                _byIdentity.Remove(identity);
            }
        }

        files.EndRound();
    }

    /// <summary>Checks for processes whose end was not heard of (the event buffer was full).</summary>
    public void SweepEnded()
    {
        foreach (var (pid, tracked) in _running)
        {
            if (!ProcFiles.IsStill(tracked.Process.Identity))
            {
                _running.Remove(pid);
                entries.Remove(pid);
                End(tracked);
            }
        }
    }

    private Tracked Track(ProcessIdentity identity, Comm comm)
    {
        if (!_byIdentity.TryGetValue(identity, out var tracked))
        {
            tracked = new Tracked(new KnownProcess(identity, TextOf(comm)));
            tracked.Process.LastRound = _round;
            _byIdentity.Add(identity, tracked);
        }

        return tracked;
    }

    private void Discover(Tracked tracked)
    {
        var process = tracked.Process;
        var image = ProcessImage.Read(process.Identity, files);
        var early = tracked.Early;
        tracked.Early = null;
        if (image is null)
        {
            process.Image ??= early;
            Missed += process.Image is null ? 1 : 0;
            process.HasEnded |= !ProcFiles.IsStill(process.Identity);
            if (process.HasEnded)
            {
                policy.Decide(process);
                return;
            }
        }
        else
        {
            ReleaseFiles(early);
            ReleaseFiles(process.Image);
            process.Image = image;
        }

        if (_running.TryGetValue(process.Identity.Pid, out var before) && !ReferenceEquals(before, tracked))
        {
            End(before);
        }

        _running[process.Identity.Pid] = tracked;
        tracked.Decision = policy.Decide(process);
        Tell(tracked, ProcessState.Profiled);
        if (_wanted.TryGetValue(process.Identity.Pid, out var wanted))
        {
            ReleaseFiles(wanted.Process.Image);
            wanted.Process.Image = null;
            End(wanted);
        }
    }

    /// <summary>Writes a process's entry: its mappings first, so that the programs never see an entry without them.</summary>
    private void Tell(Tracked tracked, ProcessState state)
    {
        var previous = tracked.Placed;
        tracked.Placed = tracked.Decision.IsProfiled && tracked.Process.Image is { } image ? tables.Place(image, tracked.Generated) : null;
        var entry = new ProcessEntry
        {
            State = tracked.Decision.IsProfiled ? state : ProcessState.Ignored,
            Flags = tracked.Decision.Flags | (tracked.Decision.IsProfiled ? interpreters.Tell(tracked.Process) : ProcessFlags.None),
            KeepOneIn = tracked.Decision.KeepOneIn,
            Shard = tracked.Placed?.Range.Shard ?? 0,
            FirstMapping = tracked.Placed?.FirstRow ?? 0,
            MappingCount = tracked.Placed?.Rows ?? 0,

            // Both the kernel's bpf_ktime_get_ns and this count from the same monotonic clock.
            LastUnknown = (ulong)(time.GetTimestamp() * (1e9 / time.TimestampFrequency)),
            UnknownPause = (uint)tracked.Reread.Pause.TotalMilliseconds,
        };
        entries.Set(tracked.Process.Identity.Pid, entry);
        if (previous is not null)
        {
            tables.Release(previous);
        }
    }

    private void End(Tracked tracked)
    {
        tracked.Process.HasEnded = true;
        if (tracked.Placed is { } placed)
        {
            tables.Release(placed);
            tracked.Placed = null;
        }

        if (!_running.ContainsKey(tracked.Process.Identity.Pid))
        {
            interpreters.End(tracked.Process);
        }
    }

    private void ReleaseFiles(ProcessImage? image)
    {
        if (image is not null)
        {
            files.Release(image.Files);
        }
    }

    private static string TextOf(Comm comm)
    {
        ReadOnlySpan<byte> bytes = comm;
        var end = bytes.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
    }
}
