using ActorProfiler.Protocol;
using Akka.Actor;

namespace ActorProfiler.Aggregator.Aggregation;

/// <summary>
/// Batches that were sent before and are not here: another aggregator may hold them. Each waits until every aggregator that may hold it has said
/// that it does not, or one that it does. Pure state of <see cref="SeriesRouterActor"/>; why: docs/decisions/0005-batches-in-doubt.md.
/// </summary>
internal sealed class DoubtfulBatches
{
    private readonly Dictionary<BatchId, Doubt> _doubts = [];
    private readonly Dictionary<Address, LinkedList<Doubt>> _unanswered = [];

    public int Count => _doubts.Count;

    /// <summary>What they cost in memory, by <see cref="SubmitCheck.Cost"/>.</summary>
    public long Bytes { get; private set; }

    public bool Contains(BatchId id) => _doubts.ContainsKey(id);

    /// <summary>Adds a batch, or takes note of who waits for it now.</summary>
    /// <param name="others">Who has to be asked; not empty.</param>
    public void Add(BatchId id, Submit submit, IActorRef replyTo, IEnumerable<Address> others, DateTimeOffset now)
    {
        if (_doubts.TryGetValue(id, out var known))
        {
            known.ReplyTo = replyTo;
            return;
        }

        var doubt = new Doubt(id, submit, replyTo, now);
        _doubts.Add(id, doubt);
        Bytes += SubmitCheck.Cost(submit);
        foreach (var other in others)
        {
            if (!_unanswered.TryGetValue(other, out var waiting))
            {
                _unanswered.Add(other, waiting = []);
            }

            doubt.Unanswered.Add(other, waiting.AddLast(doubt));
        }
    }

    /// <summary>Takes an answer. Returns the batch when its doubt is over, which it then leaves.</summary>
    public Doubt? Answer(BatchId id, Address from, bool held)
    {
        if (!_doubts.TryGetValue(id, out var doubt) || !(Forget(doubt, from) || held))
        {
            return null;
        }

        return held || doubt.Unanswered.Count == 0 ? Remove(doubt) : null;
    }

    /// <summary>Only these aggregators may hold anything. Returns the batches whose doubt is over.</summary>
    public IReadOnlyList<Doubt> Keep(IReadOnlySet<Address> others)
    {
        foreach (var gone in _unanswered.Keys.Where(other => !others.Contains(other)).ToList())
        {
            foreach (var doubt in _unanswered[gone])
            {
                doubt.Unanswered.Remove(gone);
            }

            _unanswered.Remove(gone);
        }

        return [.. _doubts.Values.Where(doubt => doubt.Unanswered.Count == 0).ToList().Select(Remove)];
    }

    /// <summary>The batches that have waited since before <paramref name="cutoff"/>, which they then leave.</summary>
    public IReadOnlyList<Doubt> Expire(DateTimeOffset cutoff) => [.. _doubts.Values.Where(doubt => doubt.Since < cutoff).ToList().Select(Remove)];

    /// <summary>Who has not answered everything yet.</summary>
    public IReadOnlyList<Address> Unanswering() => [.. _unanswered.Where(pair => pair.Value.Count > 0).Select(pair => pair.Key)];

    /// <summary>The oldest batches that one aggregator has not answered for.</summary>
    public IEnumerable<BatchId> Questions(Address other, int most) =>
        _unanswered.TryGetValue(other, out var waiting) ? waiting.Take(most).Select(doubt => doubt.Id) : [];

    public void Clear()
    {
        _doubts.Clear();
        _unanswered.Clear();
        Bytes = 0;
    }

    private Doubt Remove(Doubt doubt)
    {
        foreach (var other in doubt.Unanswered.Keys.ToList())
        {
            Forget(doubt, other);
        }

        _doubts.Remove(doubt.Id);
        Bytes -= SubmitCheck.Cost(doubt.Submit);
        return doubt;
    }

    private bool Forget(Doubt doubt, Address other)
    {
        if (!doubt.Unanswered.Remove(other, out var place))
        {
            return false;
        }

        _unanswered[other].Remove(place);
        return true;
    }

    /// <param name="since">When the doubt began.</param>
    internal sealed class Doubt(BatchId id, Submit submit, IActorRef replyTo, DateTimeOffset since)
    {
        public BatchId Id => id;

        public Submit Submit => submit;

        public IActorRef ReplyTo { get; set; } = replyTo;

        /// <summary>Who has not answered yet, and its place among what that one is asked.</summary>
        public Dictionary<Address, LinkedListNode<Doubt>> Unanswered { get; } = [];

        public DateTimeOffset Since => since;
    }
}
