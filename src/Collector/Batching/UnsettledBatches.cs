using ActorProfiler.Protocol;

namespace ActorProfiler.Collector.Batching;

/// <summary>Names a batch among those of one collector. Ordered as they were made.</summary>
internal readonly record struct BatchKey(ulong Epoch, ulong Sequence) : IComparable<BatchKey>
{
    public static BatchKey Of(Submit submit) => new(submit.Epoch, submit.Sequence);

    public int CompareTo(BatchKey other) =>
        Epoch == other.Epoch ? Sequence.CompareTo(other.Sequence) : Epoch.CompareTo(other.Epoch);
}

/// <summary>The batches that are not known to be stored: bounded, oldest dropped first. Pure state of <see cref="BatchSenderActor"/>.</summary>
/// <param name="mostBytes">Bound of the payloads' sum.</param>
internal sealed class UnsettledBatches(long mostBytes)
{
    private readonly SortedDictionary<BatchKey, Submit> _batches = [];
    private readonly SortedSet<BatchKey> _unsent = [];
    private readonly HashSet<BatchKey> _sentBefore = [];
    private bool _hurry;

    public int Count => _batches.Count;

    public long Bytes { get; private set; }

    /// <summary>Bytes sent and not answered.</summary>
    public long BytesInFlight { get; private set; }

    /// <summary>Grows with each batch settled.</summary>
    public long Settled { get; private set; }

    /// <summary>Adds a batch. Returns the batches that had to make room for it: they are lost.</summary>
    public IReadOnlyList<Submit> Add(Submit submit)
    {
        var lost = new List<Submit>();
        Bytes += submit.Payload.Length;
        _batches.Add(BatchKey.Of(submit), submit);
        _unsent.Add(BatchKey.Of(submit));
        while (Bytes > mostBytes && _batches.Count > 1)
        {
            var (key, oldest) = _batches.First();
            Settle(key);
            lost.Add(oldest);
        }

        return lost;
    }

    /// <summary>The next batch to send, oldest first; null when all are sent or the credit is used up.</summary>
    /// <returns>A copy: an earlier one may still be on its way through another thread.</returns>
    public Submit? Next(long creditBytes)
    {
        // With nothing in flight one batch may exceed the credit: a large one must not wait for ever.
        if (_unsent.Count == 0 || (BytesInFlight > 0 && BytesInFlight + _batches[_unsent.Min].Payload.Length > creditBytes))
        {
            return null;
        }

        var key = _unsent.Min;
        _unsent.Remove(key);
        var submit = _batches[key].Clone();
        submit.SettledBelow = SettledBelow(key.Epoch);
        submit.Hurry = _hurry;
        submit.Resent = !_sentBefore.Add(key);
        BytesInFlight += submit.Payload.Length;
        return submit;
    }

    /// <summary>Forgets a batch: it is stored, or given up. Returns it, or null when it was settled before.</summary>
    public Submit? Settle(BatchKey key)
    {
        if (!_batches.Remove(key, out var submit))
        {
            return null;
        }

        Settled++;
        Bytes -= submit.Payload.Length;
        BytesInFlight -= _unsent.Remove(key) ? 0 : submit.Payload.Length;
        _sentBefore.Remove(key);
        return submit;
    }

    /// <summary>All unanswered batches are to be sent again: the connection they went over is gone.</summary>
    public void Resend()
    {
        _unsent.UnionWith(_batches.Keys);
        BytesInFlight = 0;
    }

    /// <summary>As <see cref="Resend"/>; from now on every batch asks for its window to be closed.</summary>
    public void Hurry()
    {
        _hurry = true;
        Resend();
    }

    /// <summary>Every sequence of the epoch below this one is settled.</summary>
    private ulong SettledBelow(ulong epoch) => _batches.Keys.First(key => key.Epoch == epoch).Sequence;
}
