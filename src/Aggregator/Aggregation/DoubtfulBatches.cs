using ActorProfiler.Protocol;
using Akka.Actor;

namespace ActorProfiler.Aggregator.Aggregation;

/// <summary>
/// Batches that were sent before and are not here: another aggregator may hold them. Each waits until every other aggregator has said that it does not,
/// or one that it does. Pure state of <see cref="SeriesRouterActor"/>; why: docs/decisions/0005-batches-in-doubt.md.
/// </summary>
internal sealed class DoubtfulBatches
{
    private readonly Dictionary<BatchId, Doubt> _doubts = [];

    public int Count => _doubts.Count;

    /// <summary>Payloads that wait.</summary>
    public long Bytes { get; private set; }

    public bool Contains(BatchId id) => _doubts.ContainsKey(id);

    /// <summary>Adds a batch, or takes note of who waits for it now.</summary>
    /// <param name="others">Who has to be asked.</param>
    /// <returns>False when it waited already.</returns>
    public bool Add(BatchId id, Submit submit, IActorRef replyTo, IEnumerable<Address> others, DateTimeOffset now)
    {
        if (_doubts.TryGetValue(id, out var known))
        {
            known.ReplyTo = replyTo;
            return false;
        }

        _doubts.Add(id, new Doubt(id, submit, replyTo, others.ToHashSet(), now));
        Bytes += submit.Payload.Length;
        return true;
    }

    /// <summary>Takes an answer. Returns the batch when its doubt is over, which it then leaves.</summary>
    public Doubt? Answer(BatchId id, Address from, bool held)
    {
        if (!_doubts.TryGetValue(id, out var doubt) || !(doubt.Unanswered.Remove(from) || held))
        {
            return null;
        }

        return held || doubt.Unanswered.Count == 0 ? Remove(doubt) : null;
    }

    /// <summary>Only these aggregators may hold anything. Returns the batches whose doubt is over.</summary>
    public IReadOnlyList<Doubt> Keep(IReadOnlySet<Address> others)
    {
        foreach (var doubt in _doubts.Values)
        {
            doubt.Unanswered.IntersectWith(others);
        }

        return [.. _doubts.Values.Where(doubt => doubt.Unanswered.Count == 0).ToList().Select(Remove)];
    }

    /// <summary>The batches that have waited since before <paramref name="cutoff"/>, which they then leave.</summary>
    public IReadOnlyList<Doubt> Expire(DateTimeOffset cutoff) => [.. _doubts.Values.Where(doubt => doubt.Since < cutoff).ToList().Select(Remove)];

    /// <summary>Whom to ask about what, again.</summary>
    public IEnumerable<(Address Other, BatchId Id)> Unanswered() =>
        _doubts.Values.SelectMany(doubt => doubt.Unanswered.Select(other => (other, doubt.Id)));

    public void Clear()
    {
        _doubts.Clear();
        Bytes = 0;
    }

    private Doubt Remove(Doubt doubt)
    {
        _doubts.Remove(doubt.Id);
        Bytes -= doubt.Submit.Payload.Length;
        return doubt;
    }

    /// <param name="unanswered">Who has not answered yet.</param>
    internal sealed class Doubt(BatchId id, Submit submit, IActorRef replyTo, HashSet<Address> unanswered, DateTimeOffset since)
    {
        public BatchId Id => id;

        public Submit Submit => submit;

        public IActorRef ReplyTo { get; set; } = replyTo;

        public HashSet<Address> Unanswered => unanswered;

        public DateTimeOffset Since => since;
    }
}
