using ActorProfiler.Protocol;

namespace ActorProfiler.Collector.Batching;

/// <summary>The batches that are not known to be stored: bounded, oldest dropped first. Pure state of <see cref="BatchSenderActor"/>.</summary>
/// <param name="mostBytes">Bound of the payloads' sum.</param>
internal sealed class UnsettledBatches(long mostBytes)
{
    private readonly SortedDictionary<ulong, Submit> _bySequence = [];
    private readonly SortedSet<ulong> _unsent = [];

    public int Count => _bySequence.Count;

    public long Bytes { get; private set; }

    /// <summary>Bytes sent and not answered.</summary>
    public long BytesInFlight { get; private set; }

    /// <summary>Every sequence below this one is settled.</summary>
    public ulong SettledBelow { get; private set; } = 1;

    /// <summary>Adds a batch. Returns the batches that had to make room for it: they are lost.</summary>
    public IReadOnlyList<Submit> Add(Submit submit)
    {
        var lost = new List<Submit>();
        Bytes += submit.Payload.Length;
        _bySequence.Add(submit.Sequence, submit);
        _unsent.Add(submit.Sequence);
        while (Bytes > mostBytes && _bySequence.Count > 1)
        {
            var oldest = _bySequence.First().Value;
            Settle(oldest.Sequence);
            lost.Add(oldest);
        }

        return lost;
    }

    /// <summary>The next batch to send, oldest first; null when all are sent or the credit is used up.</summary>
    public Submit? Next(long creditBytes)
    {
        // With nothing in flight one batch may exceed the credit: a large one must not wait for ever.
        if (_unsent.Count == 0 || (BytesInFlight > 0 && BytesInFlight + _bySequence[_unsent.Min].Payload.Length > creditBytes))
        {
            return null;
        }

        var sequence = _unsent.Min;
        _unsent.Remove(sequence);
        var submit = _bySequence[sequence];
        submit.SettledBelow = SettledBelow;
        BytesInFlight += submit.Payload.Length;
        return submit;
    }

    /// <summary>Forgets a batch: it is stored, or given up. Returns it, or null when it was settled before.</summary>
    public Submit? Settle(ulong sequence)
    {
        if (!_bySequence.Remove(sequence, out var submit))
        {
            return null;
        }

        Bytes -= submit.Payload.Length;
        BytesInFlight -= _unsent.Remove(sequence) ? 0 : submit.Payload.Length;
        SettledBelow = _bySequence.Count > 0 ? _bySequence.First().Key : Math.Max(SettledBelow, sequence + 1);
        return submit;
    }

    /// <summary>All unanswered batches are to be sent again: the connection they went over is gone.</summary>
    public void Resend()
    {
        _unsent.UnionWith(_bySequence.Keys);
        BytesInFlight = 0;
    }
}
