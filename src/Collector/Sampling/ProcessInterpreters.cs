using System.Collections.Concurrent;
using ActorProfiler.Collector.Interpreters;
using ActorProfiler.Collector.Interpreters.HotSpot;
using ActorProfiler.Collector.Interpreters.Jit;
using ActorProfiler.Collector.Processes;
using ActorProfiler.Collector.Sampling.Native;
using ActorProfiler.Collector.Unwinding;

namespace ActorProfiler.Collector.Sampling;

/// <summary>What is done about the interpreters and JITs of sampled processes.</summary>
/// <remarks>Used by the sampling thread only, but for <see cref="Unread"/>.</remarks>
internal sealed class ProcessInterpreters
{
    private readonly BpfMap _pythons;
    private readonly JitNames _jit;
    private readonly HotSpotTables _hotSpot;

    /// <param name="pythons">Map <c>pythons</c>.</param>
    /// <param name="rules">Those of the tables that JVMs get.</param>
    public ProcessInterpreters(BpfMap pythons, JitNames jit, UnwindRules rules, TimeProvider time)
    {
        (_pythons, _jit) = (pythons, jit);
        _hotSpot = new HotSpotTables(rules, Unread, time);
    }

    /// <summary>Processes whose interpreter could not be read, by reason, since the start. Their native stacks remain.</summary>
    public ConcurrentDictionary<string, long> Unread { get; } = new(StringComparer.Ordinal);

    /// <summary>Whether Python's frames are read where a process's target does not say.</summary>
    public bool ReadsPython { get; set; } = true;

    /// <summary>Tells the BPF programs of a process's interpreter, and asks its JIT for names.</summary>
    /// <param name="python">Whether Python's frames are read of this process; null as of all.</param>
    /// <returns>What its entry must say.</returns>
    public ProcessFlags Tell(KnownProcess process, bool? python)
    {
        if (process.Image is not { } image)
        {
            return ProcessFlags.None;
        }

        _jit.OnRead(image);
        _hotSpot.Request(image);
        if (!process.IsInterpreterSought)
        {
            process.Python = PythonRuntime.Find(image, out var reason);

            // A launcher loads its libpython after it has started: without either, ask again when the mappings have grown.
            process.IsInterpreterSought = process.Python is not null || reason.Length > 0;
            if (reason.Length > 0)
            {
                Unread.AddOrUpdate(reason, 1, (_, before) => before + 1);
            }
        }

        return (python ?? ReadsPython) && process.Python is { } layout && _pythons.Set(process.Identity.Pid, layout) ? ProcessFlags.Python : ProcessFlags.None;
    }

    /// <summary>A table of generated code is about to come.</summary>
    public bool ExpectsTable => _hotSpot.IsBusy;

    /// <summary>A table of generated code made since the last call.</summary>
    public bool TryTakeTable(out ProcessIdentity process, out UnwindTable table) => _hotSpot.TryTake(out process, out table);

    /// <summary>The process, and its program, runs no more.</summary>
    public void End(KnownProcess process)
    {
        if (process.Python is not null)
        {
            _pythons.Remove(process.Identity.Pid);
        }
    }

    /// <summary>Nothing of the process is asked for any more.</summary>
    public void Forget(ProcessIdentity process)
    {
        _jit.Forget(process);
        _hotSpot.Forget(process);
    }
}
