using System.Collections.Concurrent;
using ActorProfiler.Collector.Processes;
using ActorProfiler.Collector.Sampling;

namespace ActorProfiler.Collector.Targets;

/// <summary>What processes are, by what was read from <c>/proc</c> when they were met: their container above all.</summary>
/// <remarks>
/// Beyond its size it gives up, at the end of a round, those that had no sample for some rounds, the longest first. A process that is given up is read anew when it is
/// asked for. Thread-safe.
/// </remarks>
internal sealed class ContainerCache
{
    private readonly ConcurrentDictionary<ProcessIdentity, Entry> _entries = new();
    private volatile Bounds _bounds = Bounds.Default;
    private long _round;

    /// <param name="Size">Processes kept however long they had no sample.</param>
    /// <param name="Rounds">Rounds without a sample after which a process needs a place to stay.</param>
    internal sealed record Bounds(int Size, int Rounds)
    {
        public static readonly Bounds Default = new(Size: 1024, Rounds: 3);
    }

    private sealed class Entry(TargetTable.ProcessFacts facts, long round)
    {
        private long _lastRound = round;

        public TargetTable.ProcessFacts Facts { get; } = facts;

        public long LastRound
        {
            get => Volatile.Read(ref _lastRound);
            set => Volatile.Write(ref _lastRound, value);
        }
    }

    public int Count => _entries.Count;

    /// <summary>Takes effect at the end of the round.</summary>
    public void SetBounds(Bounds bounds) => _bounds = bounds;

    /// <summary>What a process is: as known, or as <paramref name="read"/> says.</summary>
    /// <param name="isSampled">It has samples now, so that it stays.</param>
    public TargetTable.ProcessFacts Get(KnownProcess process, bool isSampled, Func<KnownProcess, TargetTable.ProcessFacts> read)
    {
        var round = Volatile.Read(ref _round);
        if (!_entries.TryGetValue(process.Identity, out var entry))
        {
            entry = _entries.GetOrAdd(process.Identity, new Entry(read(process), round));
        }

        if (isSampled)
        {
            entry.LastRound = round;
        }

        return entry.Facts;
    }

    public void Forget(ProcessIdentity process) => _entries.TryRemove(process, out _);

    public void EndRound()
    {
        var round = Interlocked.Increment(ref _round);
        var bounds = _bounds;
        var surplus = _entries.Count - bounds.Size;
        if (surplus <= 0)
        {
            return;
        }

        foreach (var (process, _) in _entries.Where(pair => pair.Value.LastRound + bounds.Rounds < round).OrderBy(pair => pair.Value.LastRound).Take(surplus))
        {
            _entries.TryRemove(process, out _);
        }
    }
}
