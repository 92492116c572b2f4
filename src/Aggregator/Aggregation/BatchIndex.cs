using Akka.Actor;

namespace ActorProfiler.Aggregator.Aggregation;

/// <summary>Which batches this node has: drops repeats, and remembers whom to tell when a batch is on disk.</summary>
/// <remarks>
/// A batch is open from its first arrival until it is stored or forgotten. Stored batches are kept until their collector says it has
/// settled them, or until nothing of that start of the collector has been heard for the time given to <see cref="Prune"/>.
/// </remarks>
internal sealed class BatchIndex
{
    /// <summary>Unsettled batches of one start of a collector; a collector that never settles is refused beyond it.</summary>
    public const int UnsettledLimit = 1 << 16;

    private readonly Dictionary<(Guid Collector, ulong Epoch), Source> _sources = [];

    public enum Verdict
    {
        /// <summary>Never seen: the caller takes it.</summary>
        New,

        /// <summary>Under way: the sender will hear when it is stored.</summary>
        Open,

        /// <summary>On disk already.</summary>
        Stored,

        /// <summary>Another node was told that this one has not got it, and may have taken it.</summary>
        Ceded,

        /// <summary>Too many of this collector's batches are unsettled.</summary>
        Full,
    }

    /// <summary>Batches under way.</summary>
    public int OpenCount { get; private set; }

    /// <summary>Ticks under way.</summary>
    public long OpenTicks { get; private set; }

    /// <summary>What the batches under way cost in memory.</summary>
    public long OpenBytes { get; private set; }

    /// <summary>Whether a batch is open or stored here.</summary>
    public bool Holds(BatchId id) =>
        _sources.TryGetValue((id.Collector, id.Epoch), out var source) && (id.Sequence < source.Floor || source.Batches.ContainsKey(id.Sequence));

    /// <summary>Leaves a batch that is not here to another node. False when there are too many to remember that.</summary>
    public bool Cede(BatchId id, DateTimeOffset now)
    {
        var source = SourceOf(id, now);
        return source.Count < UnsettledLimit && (source.Ceded.Add(id.Sequence) || source.Ceded.Contains(id.Sequence));
    }

    /// <param name="isRepeat">Whether every other node has been asked: a ceded batch may then be taken after all.</param>
    public Verdict Admit(BatchId id, ulong settledBelow, OpenBatch batch, DateTimeOffset now, bool isRepeat = false)
    {
        var source = SourceOf(id, now);
        source.Settle(settledBelow);
        if (id.Sequence < source.Floor)
        {
            return Verdict.Stored;
        }

        if (source.Batches.TryGetValue(id.Sequence, out var known))
        {
            if (known is null)
            {
                return Verdict.Stored;
            }

            source.Batches[id.Sequence] = known with { ReplyTo = batch.ReplyTo };
            return Verdict.Open;
        }

        if (source.Count >= UnsettledLimit)
        {
            return Verdict.Full;
        }

        if (source.Ceded.Contains(id.Sequence) && !isRepeat)
        {
            return Verdict.Ceded;
        }

        source.Ceded.Remove(id.Sequence);

        source.Batches.Add(id.Sequence, batch);
        OpenCount++;
        OpenBytes += batch.Bytes;
        OpenTicks += batch.Ticks;
        return Verdict.New;
    }

    /// <summary>Marks a batch as on disk. Returns what was known of it, or null when it was not open.</summary>
    public OpenBatch? Store(BatchId id, DateTimeOffset now)
    {
        var open = Remove(id);
        var source = SourceOf(id, now);
        if (id.Sequence >= source.Floor)
        {
            source.Batches[id.Sequence] = null;
        }

        return open;
    }

    /// <summary>Forgets an open batch, so that its next arrival is new. Returns what was known of it, or null when it was not open.</summary>
    public OpenBatch? Remove(BatchId id)
    {
        if (!_sources.TryGetValue((id.Collector, id.Epoch), out var source)
            || !source.Batches.TryGetValue(id.Sequence, out var batch) || batch is null)
        {
            return null;
        }

        source.Batches.Remove(id.Sequence);
        OpenCount--;
        OpenBytes -= batch.Bytes;
        OpenTicks -= batch.Ticks;
        return batch;
    }

    /// <summary>Forgets collectors' starts without open batches that have been silent since <paramref name="cutoff"/>.</summary>
    public void Prune(DateTimeOffset cutoff)
    {
        foreach (var (key, source) in _sources)
        {
            if (source.LastHeard < cutoff && source.Batches.Values.All(batch => batch is null))
            {
                _sources.Remove(key);
            }
        }
    }

    private Source SourceOf(BatchId id, DateTimeOffset now)
    {
        var key = (id.Collector, id.Epoch);
        if (!_sources.TryGetValue(key, out var source))
        {
            source = new Source();
            _sources.Add(key, source);
        }

        source.LastHeard = now;
        return source;
    }

    /// <summary>A batch that is not on disk yet.</summary>
    /// <param name="ReplyTo">Hears <see cref="Protocol.Stored"/> or <see cref="Protocol.Refused"/>.</param>
    /// <param name="Bytes">What it costs in memory, by <see cref="SubmitCheck.Cost"/>.</param>
    public sealed record OpenBatch(IActorRef ReplyTo, long Ticks, long Bytes);

    private sealed class Source
    {
        /// <summary>By sequence; null is a stored one.</summary>
        public Dictionary<ulong, OpenBatch?> Batches { get; } = [];

        /// <summary>Sequences left to other nodes.</summary>
        public HashSet<ulong> Ceded { get; } = [];

        public int Count => Batches.Count + Ceded.Count;

        public ulong Floor { get; private set; }

        public DateTimeOffset LastHeard { get; set; }

        public void Settle(ulong below)
        {
            if (below <= Floor)
            {
                return;
            }

            Floor = below;
            Ceded.RemoveWhere(sequence => sequence < below);
            foreach (var (sequence, batch) in Batches)
            {
                if (sequence < below && batch is null)
                {
                    Batches.Remove(sequence);
                }
            }
        }
    }
}
