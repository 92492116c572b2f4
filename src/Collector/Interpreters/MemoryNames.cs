using System.Collections.Concurrent;
using ActorProfiler.Collector.Processes;

namespace ActorProfiler.Collector.Interpreters;

/// <summary>The processes of one runtime whose frames are named by reading their memory in the background.</summary>
/// <remarks>All but the reading belongs to the sampling thread.</remarks>
/// <param name="unread">Counts, under <paramref name="reason"/>, what was not read because too many processes wait.</param>
internal abstract class MemoryNames<TProcess>(ConcurrentDictionary<string, long> unread, string reason, TimeProvider time)
    where TProcess : class, IMemoryReader
{
    // Words of a record, see bpf/v8.h.
    private const int IndexShift = 56;
    private const ulong AddressMask = (1ul << IndexShift) - 1;

    private readonly MemoryReaders _readers = new(unread, reason, time);
    private readonly Dictionary<ProcessIdentity, TProcess> _processes = [];

    /// <summary>The number of the interval.</summary>
    protected long Round { get; private set; }

    /// <summary>The process has ended and its stacks are forgotten.</summary>
    public void Forget(ProcessIdentity identity) => _processes.Remove(identity);

    /// <summary>Lets names that are on their way arrive.</summary>
    /// <param name="limit">Longest wait.</param>
    public void Wait(TimeSpan limit) => _readers.Wait(limit);

    /// <summary>Ends an interval.</summary>
    public void EndRound()
    {
        foreach (var process in _processes.Values)
        {
            process.EndRound(Round);
            Request(process);
        }

        Round++;
    }

    /// <summary>The process of this identity, made when it is new.</summary>
    protected TProcess Add(ProcessIdentity identity, Func<TProcess> make) =>
        _processes.TryGetValue(identity, out var known) ? known : _processes[identity] = make();

    /// <summary>Has a process read, if there is something to read.</summary>
    protected void Request(TProcess process) => _readers.Request(process);

    /// <summary>Of a record's word: the index of the user frame, and the address of what names it.</summary>
    protected static (int Index, ulong Address) FrameOf(ulong word) => ((int)(word >> IndexShift), word & AddressMask);
}
