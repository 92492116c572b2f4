using ActorProfiler.Protocol;

namespace ActorProfiler.Collector.Batching;

/// <summary>
/// The batches that are not known to be stored, in memory within a bound, beyond it on disk only. Pure state of <see cref="BatchSenderActor"/>,
/// which does what <see cref="BatchSpool"/> has to do for it.
/// </summary>
/// <param name="mostBytes">Bound of the payloads in memory. Past it, those on disk leave memory; where there are none, the oldest are lost.</param>
internal sealed class UnsettledBatches(long mostBytes)
{
    private readonly SortedDictionary<BatchKey, UnsettledBatch> _batches = [];
    private readonly SortedSet<BatchKey> _unsent = [];
    private readonly HashSet<BatchKey> _deferred = [];
    private readonly SortedSet<BatchKey> _spare = [];
    private readonly Dictionary<ulong, SortedSet<ulong>> _epochs = [];
    private bool _hurry;

    public int Count => _batches.Count;

    /// <summary>Payloads in memory.</summary>
    public long Bytes { get; private set; }

    public long Ticks { get; private set; }

    /// <summary>Bytes sent and not answered.</summary>
    public long BytesInFlight { get; private set; }

    /// <summary>Grows with each batch settled.</summary>
    public long Settled { get; private set; }

    /// <summary>Whether every batch is on disk.</summary>
    public bool AllOnDisk => _batches.Values.All(batch => batch.IsOnDisk);

    /// <summary>Adds a batch. Returns the batches that had to make room for it: they are lost.</summary>
    public IReadOnlyList<UnsettledBatch> Add(Submit submit, DateTimeOffset now)
    {
        Insert(new UnsettledBatch(submit, now) { Content = submit });
        Bytes += submit.Payload.Length;
        return Trim();
    }

    /// <summary>Adds a batch of an earlier start that is on disk. It may have been sent then.</summary>
    public void Restore(Submit submit, DateTimeOffset written) => Insert(new UnsettledBatch(submit, written) { IsOnDisk = true, FirstSent = written });

    /// <summary>The batch is on disk: memory may do without it.</summary>
    public void Spooled(BatchKey key)
    {
        if (_batches.TryGetValue(key, out var batch))
        {
            batch.IsOnDisk = true;
            _spare.Add(key);
            Trim();
        }
    }

    /// <summary>The batch left the disk. Returns it when it was nowhere else: it is lost.</summary>
    public UnsettledBatch? Evicted(BatchKey key)
    {
        if (!_batches.TryGetValue(key, out var batch))
        {
            return null;
        }

        batch.IsOnDisk = false;
        _spare.Remove(key);
        return batch.Content is null ? Settle(key) : null;
    }

    /// <summary>The batch was read from disk. Returns it when it could not be: it is lost.</summary>
    public UnsettledBatch? Loaded(BatchKey key, Submit? content)
    {
        if (!_batches.TryGetValue(key, out var batch))
        {
            return null;
        }

        batch.IsLoading = false;
        if (content is null)
        {
            return Settle(key);
        }

        batch.Content = content;
        Bytes += batch.Bytes;
        _spare.Add(key);
        return null;
    }

    /// <summary>The next batch to send, oldest first; null when all are sent, the credit is used up, or the batch is on disk.</summary>
    /// <param name="load">The batch to load from disk first.</param>
    /// <returns>A copy: an earlier one may still be on its way through another thread.</returns>
    public Submit? Next(long creditBytes, DateTimeOffset now, out BatchKey? load)
    {
        load = null;
        // With nothing in flight one batch may exceed the credit: a large one must not wait for ever.
        if (_unsent.Count == 0 || (BytesInFlight > 0 && BytesInFlight + _batches[_unsent.Min].Bytes > creditBytes))
        {
            return null;
        }

        var batch = _batches[_unsent.Min];
        if (batch.Content is null)
        {
            load = batch.IsLoading ? null : batch.Key;
            batch.IsLoading = true;
            return null;
        }

        return Take(batch, now);
    }

    /// <summary>Forgets a batch: it is stored, or given up. Returns it, or null when it was settled before.</summary>
    public UnsettledBatch? Settle(BatchKey key)
    {
        if (!_batches.Remove(key, out var batch))
        {
            return null;
        }

        Settled++;
        Ticks -= batch.Ticks;
        Bytes -= batch.Content is null ? 0 : batch.Bytes;
        BytesInFlight -= _unsent.Remove(key) | _deferred.Remove(key) ? 0 : batch.Bytes;
        _spare.Remove(key);
        if (_epochs[key.Epoch].Remove(key.Sequence) && _epochs[key.Epoch].Count == 0)
        {
            _epochs.Remove(key.Epoch);
        }

        return batch;
    }

    /// <summary>Batches from before <paramref name="oldest"/>, which no destination would take any more.</summary>
    public IReadOnlyList<BatchKey> From(DateTimeOffset oldest) => [.. _batches.Values.Where(batch => batch.Since < oldest).Select(batch => batch.Key)];

    /// <summary>Every batch, oldest first.</summary>
    public IReadOnlyList<UnsettledBatch> All() => [.. _batches.Values];

    /// <summary>All unanswered batches are to be sent again: the connection they went over is gone.</summary>
    public void Resend()
    {
        _unsent.UnionWith(_batches.Keys);
        _deferred.Clear();
        BytesInFlight = 0;
    }

    /// <summary>An aggregator does not take the batch now: it is to be sent again with the next <see cref="Undefer"/>.</summary>
    public void Defer(BatchKey key)
    {
        if (_batches.TryGetValue(key, out var batch) && !_unsent.Contains(key) && _deferred.Add(key))
        {
            BytesInFlight -= batch.Bytes;
        }
    }

    public void Undefer()
    {
        _unsent.UnionWith(_deferred);
        _deferred.Clear();
    }

    /// <summary>As <see cref="Resend"/>; from now on every batch asks for its window to be closed.</summary>
    public void Hurry()
    {
        _hurry = true;
        Resend();
    }

    private void Insert(UnsettledBatch batch)
    {
        _batches.Add(batch.Key, batch);
        Ticks += batch.Ticks;
        _unsent.Add(batch.Key);
        if (!_epochs.TryGetValue(batch.Key.Epoch, out var sequences))
        {
            _epochs.Add(batch.Key.Epoch, sequences = []);
        }

        sequences.Add(batch.Key.Sequence);
    }

    private Submit Take(UnsettledBatch batch, DateTimeOffset now)
    {
        _unsent.Remove(batch.Key);
        var submit = batch.Content!.Clone();
        submit.SettledBelow = _epochs[batch.Key.Epoch].Min;
        submit.Hurry = _hurry;
        submit.Resent = batch.FirstSent is not null;
        batch.FirstSent ??= now;
        submit.SentMillisAgo = submit.Resent && now > batch.FirstSent ? (ulong)(now - batch.FirstSent.Value).TotalMilliseconds + 1 : 0;
        submit.SentUnixMillis = now.ToUnixTimeMilliseconds();
        BytesInFlight += batch.Bytes;
        Trim();
        return submit;
    }

    private List<UnsettledBatch> Trim()
    {
        var lost = new List<UnsettledBatch>();
        while (Bytes > mostBytes && _batches.Count > 1)
        {
            // The newest on disk are needed last.
            if (_spare.Count > 0)
            {
                var spare = _batches[_spare.Max];
                _spare.Remove(spare.Key);
                spare.Content = null;
                Bytes -= spare.Bytes;
            }
            else if (_batches.Values.FirstOrDefault(batch => batch.Content is not null) is { } oldest)
            {
                lost.Add(Settle(oldest.Key)!);
            }
        }

        return lost;
    }
}

/// <summary>What is known of a batch that is not settled.</summary>
/// <param name="submit">Read only here: nothing of it is kept but what the properties say.</param>
internal sealed class UnsettledBatch(Submit submit, DateTimeOffset since)
{
    public BatchKey Key { get; } = BatchKey.Of(submit);

    public long Ticks { get; } = (long)submit.Ticks;

    /// <summary>Of the payload.</summary>
    public int Bytes { get; } = submit.Payload.Length;

    /// <summary>Its target, for what is said of it when it is lost.</summary>
    public string ServiceName { get; } = submit.Labels.FirstOrDefault(label => label.Name == Labels.LabelNames.ServiceName)?.Value ?? "";

    public DateTimeOffset Since { get; } = since;

    /// <summary>Null: on disk only.</summary>
    public Submit? Content { get; set; }

    public bool IsOnDisk { get; set; }

    public bool IsLoading { get; set; }

    /// <summary>Not later than when it was sent first; null: it was not.</summary>
    public DateTimeOffset? FirstSent { get; set; }
}
