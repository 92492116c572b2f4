using System.Collections.Concurrent;
using ActorProfiler.Collector.Interpreters;
using ActorProfiler.Collector.Interpreters.HotSpot;
using ActorProfiler.Collector.Interpreters.Jit;
using ActorProfiler.Collector.Interpreters.V8;
using ActorProfiler.Collector.Processes;
using ActorProfiler.Collector.Sampling.Native;
using ActorProfiler.Collector.Unwinding;

namespace ActorProfiler.Collector.Sampling;

/// <summary>What is done about the interpreters and JITs of sampled processes.</summary>
/// <remarks>Used by the sampling thread only, but for <see cref="Unread"/>.</remarks>
internal sealed class ProcessInterpreters
{
    private readonly BpfMap _pythons;
    private readonly BpfMap _v8s;
    private readonly JitNames _jit;
    private readonly HotSpotTables _hotSpot;
    private readonly Dictionary<ProcessIdentity, KnownProcess> _jvms = [];

    /// <param name="pythons">Map <c>pythons</c>.</param>
    /// <param name="v8s">Map <c>v8s</c>.</param>
    /// <param name="rules">Those of the tables that JVMs get.</param>
    public ProcessInterpreters(BpfMap pythons, BpfMap v8s, JitNames jit, UnwindRules rules, TimeProvider time)
    {
        (_pythons, _v8s, _jit) = (pythons, v8s, jit);
        JavaScript = new V8Names(Unread, time);
        Java = new JavaNames(Unread, time);
        _hotSpot = new HotSpotTables(rules, Unread, time);
    }

    /// <summary>Processes whose interpreter could not be read, by reason, since the start. Their native stacks remain.</summary>
    public ConcurrentDictionary<string, long> Unread { get; } = new(StringComparer.Ordinal);

    /// <summary>Which interpreters' frames are read, where a process's target does not say.</summary>
    public SamplingOptions Options { get; set; } = new();

    /// <summary>Names of Java methods.</summary>
    public JavaNames Java { get; }

    /// <summary>Names of JavaScript functions.</summary>
    public V8Names JavaScript { get; }

    /// <summary>Tells the BPF programs of a process's interpreter, and asks its JIT for names.</summary>
    /// <param name="python">Whether Python's frames are read of this process; null as of all.</param>
    /// <returns>What its entry must say.</returns>
    public ProcessFlags Tell(KnownProcess process, bool? python)
    {
        if (process.Image is not { } image)
        {
            return ProcessFlags.None;
        }

        var java = TellOfJava(process, image);
        AskJit(process, image);
        _hotSpot.Request(image);
        SeekPython(process);
        var flags = (python ?? Options.Python) && process.Python is { } layout && _pythons.Set(process.Identity.Pid, layout) ? ProcessFlags.Python : ProcessFlags.None;
        return flags | java | TellOfV8(process, image);
    }

    /// <summary>Reads where Python is in a process, if it has been read itself and that is not known.</summary>
    public void SeekPython(KnownProcess process)
    {
        if (process.Image is not { } image || process.IsInterpreterSought)
        {
            return;
        }

        process.Python = PythonRuntime.Find(image, out var reason);

        // A launcher loads its libpython after it has started: without either, ask again when the mappings have grown.
        process.IsInterpreterSought = process.Python is not null || reason.Length > 0;
        Count(reason);
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

        if (process.V8 is not null)
        {
            _v8s.Remove(process.Identity.Pid);
        }
    }

    /// <summary>Nothing of the process is asked for any more.</summary>
    public void Forget(ProcessIdentity process)
    {
        _jit.Forget(process);
        _hotSpot.Forget(process);
        JavaScript.Forget(process);
        Java.Forget(process);
        _jvms.Remove(process);
    }

    /// <summary>Ends an interval.</summary>
    /// <param name="patience">Longest wait for names that are on their way.</param>
    public void EndRound(TimeSpan patience)
    {
        JavaScript.Wait(patience);
        Java.Wait(patience);
        JavaScript.EndRound();
        Java.EndRound();
        foreach (var process in _jvms.Values)
        {
            if (process is { Java.IsUnreadable: true, Image: { } image, HasEnded: false })
            {
                _jit.OnRead(image);
            }
        }
    }

    /// <summary>A JVM whose names can be read from its memory is left alone.</summary>
    private void AskJit(KnownProcess process, ProcessImage image)
    {
        if (process.Java is not { IsUnreadable: false })
        {
            _jit.OnRead(image);
        }
    }

    private ProcessFlags TellOfJava(KnownProcess process, ProcessImage image)
    {
        if (process.Java is null && JvmLibrary.In(image) is { File: not null } library)
        {
            process.Java = Java.Add(process.Identity, library);
            _jvms[process.Identity] = process;
        }

        if (process.Java is null)
        {
            return ProcessFlags.None;
        }

        process.Java.IsEnabled = Options.HotSpot;
        return Options.HotSpot ? ProcessFlags.HotSpot : ProcessFlags.None;
    }

    private ProcessFlags TellOfV8(KnownProcess process, ProcessImage image)
    {
        if (!Options.V8)
        {
            return ProcessFlags.None;
        }

        if (!process.IsV8Sought)
        {
            var metadata = V8Runtime.Find(image, out var reason);
            process.V8 = metadata is null ? null : JavaScript.Add(process.Identity, metadata);
            process.IsV8Sought = metadata is not null || reason.Length > 0; // libnode may be loaded later
            Count(reason);
        }

        return process.V8 is { } v8 && _v8s.Set(process.Identity.Pid, v8.Metadata.Frames) ? ProcessFlags.V8 : ProcessFlags.None;
    }

    private void Count(string reason)
    {
        if (reason.Length > 0)
        {
            Unread.AddOrUpdate(reason, 1, (_, before) => before + 1);
        }
    }
}
