using System.Collections.Concurrent;
using System.Threading.Channels;
using ActorProfiler.Collector.Processes;

namespace ActorProfiler.Collector.Interpreters.V8;

/// <summary>Names the JavaScript functions of stack records, which are read from the memory of their processes in the background.</summary>
/// <remarks>
/// All but the reading belongs to the sampling thread. Reading a hostile process may never end: each process has one reader at a time, and with all of
/// them lost, functions keep the names that are known.
/// </remarks>
/// <param name="unread">Counts what could not be read, by reason.</param>
internal sealed class V8Names(ConcurrentDictionary<string, long> unread, TimeProvider time)
{
    private const int Readers = 4;
    private const int MostWaiting = 4096;
    private const int IndexShift = 56;
    private const ulong AddressMask = (1ul << IndexShift) - 1;

    /// <summary>How long names may be on their way before nobody waits for them any more.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(2);

    private readonly Channel<V8Process> _asked = Channel.CreateBounded<V8Process>(MostWaiting);
    private readonly Dictionary<ProcessIdentity, V8Process> _processes = [];
    private int _readers;
    private int _inWork;
    private long _lastRequest;
    private long _round;

    /// <summary>Begins with a process that runs V8.</summary>
    public V8Process Add(ProcessIdentity identity, V8Metadata metadata) =>
        _processes.TryGetValue(identity, out var known) ? known : _processes[identity] = new V8Process(identity, metadata);

    /// <summary>The process has ended and its stacks are forgotten.</summary>
    public void Forget(ProcessIdentity identity) => _processes.Remove(identity);

    /// <summary>The frames of a record.</summary>
    /// <param name="words">One for each frame, see bpf/v8.h.</param>
    public V8Frame[] Read(V8Process? process, ReadOnlySpan<ulong> words)
    {
        if (process is null)
        {
            return [];
        }

        var frames = new V8Frame[words.Length];
        for (var i = 0; i < frames.Length; i++)
        {
            frames[i] = new V8Frame((int)(words[i] >> IndexShift), process.Find(words[i] & AddressMask, _round));
        }

        Request(process);
        return frames;
    }

    /// <summary>A stack that is known already has been seen again.</summary>
    public void See(ReadOnlySpan<V8Frame> frames)
    {
        foreach (var frame in frames)
        {
            frame.Function.LastRound = _round;
        }
    }

    /// <summary>Lets names that are on their way arrive.</summary>
    /// <param name="limit">Longest wait.</param>
    public void Wait(TimeSpan limit)
    {
        if (Volatile.Read(ref _inWork) > 0 && time.GetElapsedTime(_lastRequest) < _patience)
        {
            SpinWait.SpinUntil(() => Volatile.Read(ref _inWork) == 0, limit);
        }
    }

    /// <summary>Ends an interval.</summary>
    public void EndRound()
    {
        foreach (var process in _processes.Values)
        {
            process.EndRound(_round);
            Request(process);
        }

        _round++;
    }

    private void Request(V8Process process)
    {
        if (!process.TryBegin())
        {
            return;
        }

        _lastRequest = time.GetTimestamp();
        Interlocked.Increment(ref _inWork);
        if (!_asked.Writer.TryWrite(process))
        {
            unread.AddOrUpdate("v8_busy", 1, (_, before) => before + 1);
            process.Read(memory: null);
            Interlocked.Decrement(ref _inWork);
            return;
        }

        if (_readers < Readers)
        {
            _readers++;
            _ = Task.Factory.StartNew(ReadAllAsync, CancellationToken.None, TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);
        }
    }

    private async Task ReadAllAsync()
    {
        await foreach (var process in _asked.Reader.ReadAllAsync())
        {
            using (var memory = ProcessMemory.Open(process.Identity))
            {
                process.Read(memory);
            }

            Interlocked.Decrement(ref _inWork);
        }
    }
}
