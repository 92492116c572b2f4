using ActorProfiler.Collector.Processes;

namespace ActorProfiler.Collector.Sampling;

/// <summary>
/// The processes that have been sampled: reads each at first sight, asks the policy, and tells the BPF programs what to do with it.
/// </summary>
/// <remarks>Used by the sampling thread only, but for <see cref="KnownProcess.Image"/>.</remarks>
internal sealed class ProcessTable(
    ProcessEntries entries, ProcessReader reader, ElfFiles files, IProcessPolicy policy, ProcessInterpreters interpreters, TimeProvider time)
{
    /// <summary>Rounds a process is remembered after its last sample, so that late stacks still find it.</summary>
    private const int RoundsKept = 3;

    private readonly Dictionary<ProcessIdentity, TrackedProcess> _byIdentity = [];
    private readonly Dictionary<int, TrackedProcess> _running = [];
    private readonly Dictionary<int, TrackedProcess> _wanted = [];
    private readonly ReplacedFiles _replaced = new(time);
    private long _round;

    public int Count => _byIdentity.Count;

    /// <summary>Processes that run and have been sampled.</summary>
    public int Running => _running.Count;

    /// <summary>Processes that were gone before they could be read, since the start.</summary>
    public long Missed { get; private set; }

    /// <summary>The process a stack record speaks of.</summary>
    public KnownProcess Of(StackRecord record)
    {
        var process = Track(IdentityOf(record), record.Comm).Process;
        process.LastRound = _round;
        return process;
    }

    /// <summary>The process whose stack was copied, read as it was then.</summary>
    public KnownProcess Of(StackCopy copy)
    {
        var tracked = Track(IdentityOf(copy.Record), copy.Record.Comm);
        tracked.Process.LastRound = _round;
        reader.Read(tracked, copy.Time);
        if (copy.Python.Length > 0)
        {
            interpreters.SeekPython(tracked.Process);
        }

        return tracked.Process;
    }

    /// <summary>Whether user stacks of a process are asked for.</summary>
    public bool CollectsUser(KnownProcess process) => !_byIdentity[process.Identity].Decision.Flags.HasFlag(ProcessFlags.NoUser);

    /// <summary>Reads a process as soon as it is announced: it may be gone before those announced earlier have been seen to.</summary>
    public void ReadEarly(in ProcessEvent happened)
    {
        if (happened.Kind == EventKind.UnknownProcess)
        {
            reader.Read(Track(IdentityOf(happened), happened.Comm), happened.Time);
        }
    }

    public void On(in ProcessEvent happened)
    {
        var identity = IdentityOf(happened);
        switch (happened.Kind)
        {
            case EventKind.UnknownProcess:
                Discover(Track(identity, happened.Comm));
                break;
            case EventKind.UnknownAddress when _byIdentity.TryGetValue(identity, out var tracked):
                tracked.Reread.Take(time);
                reader.ReadAgain(tracked);
                if (!tracked.Process.HasEnded)
                {
                    entries.Tell(tracked, ProcessState.Profiled);
                }

                break;
            case EventKind.Exec or EventKind.Exit:
                OnEnd(identity.Pid, isExec: happened.Kind == EventKind.Exec);
                break;
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

        var tracked = new TrackedProcess(new KnownProcess(new ProcessIdentity(pid, startTime, ExecId: 0), ProcFiles.Comm(pid) ?? ""));
        reader.Show(tracked, ProcessImage.Read(tracked.Identity, files));
        tracked.Decision = policy.Decide(tracked.Process);
        entries.Tell(tracked, ProcessState.Wanted);
        _wanted[pid] = tracked;
        return true;
    }

    /// <summary>Asks the policy again about all running processes: targets or options have changed.</summary>
    public void Reconsider()
    {
        foreach (var tracked in _running.Values)
        {
            tracked.Decision = policy.Decide(tracked.Process);
            entries.Tell(tracked, ProcessState.Profiled);
        }
    }

    /// <summary>A process mapped code of a file.</summary>
    public void OnMapped(int pid, in MemoryMapping mapping)
    {
        if (_running.TryGetValue(pid, out var tracked))
        {
            _replaced.OnMapped(tracked, mapping);
        }
    }

    /// <summary>Reads the processes again in which a file took the place of another.</summary>
    public void ReadReplaced()
    {
        foreach (var tracked in _replaced.Due())
        {
            reader.ReadAgain(tracked);
            tracked.Process.Replacements++;
            entries.Tell(tracked, ProcessState.Profiled);
        }
    }

    /// <summary>Puts the tables of generated code in place that have been made meanwhile.</summary>
    public void TakeTables()
    {
        while (interpreters.TryTakeTable(out var process, out var table))
        {
            if (_byIdentity.TryGetValue(process, out var tracked) && !tracked.Process.HasEnded)
            {
                (tracked.Generated, tracked.PlacedImage) = (table, null);
                entries.Tell(tracked, ProcessState.Profiled);
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
                reader.Show(tracked, null);
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
        foreach (var (identity, tracked) in _byIdentity)
        {
            if (tracked.Process.HasEnded || ProcFiles.IsStill(identity))
            {
                continue;
            }

            tracked.Process.HasEnded = true;
            if (_running.TryGetValue(identity.Pid, out var running) && ReferenceEquals(running, tracked))
            {
                OnEnd(identity.Pid, isExec: false);
            }
        }
    }

    private static ProcessIdentity IdentityOf(in StackRecord record) => new((int)record.Pid, record.StartTime, record.ExecId);

    private static ProcessIdentity IdentityOf(in ProcessEvent happened) => new((int)happened.Pid, happened.StartTime, happened.ExecId);

    private TrackedProcess Track(ProcessIdentity identity, Comm comm)
    {
        if (!_byIdentity.TryGetValue(identity, out var tracked))
        {
            tracked = new TrackedProcess(new KnownProcess(identity, comm.ToString()));
            tracked.Process.LastRound = _round;
            if (_wanted.TryGetValue(identity.Pid, out var wanted) && wanted.Placed is not null)
            {
                tracked.Process.TakeInterpreters(wanted.Process);
            }

            _byIdentity.Add(identity, tracked);
        }

        return tracked;
    }

    private void Discover(TrackedProcess tracked)
    {
        var process = tracked.Process;
        Adopt(tracked);
        reader.Read(tracked, tracked.SeenAt);
        Missed += process.Image is null ? 1 : 0;
        tracked.Decision = policy.Decide(process);
        process.HasEnded |= reader.HasEnded(tracked);
        if (process.HasEnded)
        {
            return;
        }

        if (_running.TryGetValue(process.Identity.Pid, out var before) && !ReferenceEquals(before, tracked))
        {
            End(before);
        }

        _running[process.Identity.Pid] = tracked;
        entries.Tell(tracked, ProcessState.Profiled);
    }

    /// <summary>Takes over what was read and placed when the process was asked for by pid.</summary>
    private void Adopt(TrackedProcess tracked)
    {
        if (!_wanted.TryGetValue(tracked.Identity.Pid, out var wanted) || wanted.Placed is null || tracked.Placed is not null)
        {
            return;
        }

        reader.Show(tracked, wanted.Process.Image! with { Identity = tracked.Identity });
        (tracked.Placed, tracked.PlacedImage) = (wanted.Placed, tracked.Process.Image);
        (wanted.Placed, wanted.Process.Image) = (null, null);
    }

    /// <summary>
    /// The program that had this pid runs no more. Its entry may have been written after the BPF programs removed it: a later process
    /// with the pid must not find it. Where that one has been announced already, it will be again.
    /// </summary>
    private void OnEnd(int pid, bool isExec)
    {
        entries.Remove(pid);
        if (_running.Remove(pid, out var ended))
        {
            _replaced.Forget(ended);
            End(ended);
        }

        if (_wanted.TryGetValue(pid, out var wanted))
        {
            End(wanted);
            reader.Show(wanted, null);
            if (isExec)
            {
                entries.Want(pid);
            }
        }
    }

    private void End(TrackedProcess tracked)
    {
        tracked.Process.HasEnded = true;
        reader.ReadJournal(tracked);
        entries.Release(tracked);
        if (!_running.ContainsKey(tracked.Identity.Pid))
        {
            interpreters.End(tracked.Process);
        }
    }
}
