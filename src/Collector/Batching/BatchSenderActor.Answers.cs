using ActorProfiler.Protocol;
using Akka.Actor;
using Akka.Event;

namespace ActorProfiler.Collector.Batching;

/// <content>What aggregators and the spool say of batches.</content>
internal sealed partial class BatchSenderActor
{
    private void ReceiveAnswers()
    {
        Receive<Stored>(stored =>
        {
            var keys = stored.Sequences.Select(sequence => new BatchKey(stored.Epoch, sequence)).ToList();
            _options.Ledger.Deliver(keys.Sum(key => _unsettled.Settle(key)?.Ticks ?? 0));
            _spool.Tell(new SpoolActor.Settle(keys));
            SendNext();
        });
        Receive<Deferred>(Defer);
        Receive<Undefer>(_ =>
        {
            _unsettled.Undefer();
            SendNext();
        });
        Receive<Refused>(refused =>
        {
            _log.Warning("aggregator refused batch {0} ({1}): {2}", refused.Sequence, refused.Reason, refused.Message);
            Drop("refused_" + refused.Reason, [new BatchKey(refused.Epoch, refused.Sequence)]);
            SendNext();
        });
    }

    // The rest of what is in flight is answered as well, so one wait serves all.
    private void Defer(Deferred deferred)
    {
        _unsettled.Defer(new BatchKey(deferred.Epoch, deferred.Sequence));
        if (!Timers.IsTimerActive(nameof(Undefer)))
        {
            _log.Warning("the aggregator takes no more of this collector for now ({0}); batches wait", deferred.Reason);
            Timers.StartSingleTimer(nameof(Undefer), new Undefer(), TimeSpan.FromMilliseconds(Math.Clamp(deferred.RetryAfterMillis, 100, 60_000)));
        }
    }

    private void ReceiveSpool()
    {
        Receive<SpoolActor.Restored>(restored =>
        {
            foreach (var (batch, written) in restored.Batches)
            {
                _unsettled.Restore(batch, written);
                _options.Ledger.Restore((long)batch.Ticks);
            }

            DropExpired();
            SendNext();
        });
        Receive<SpoolActor.Written>(written =>
        {
            _options.Metrics.OnSpool(written.Bytes);
            foreach (var key in written.Keys)
            {
                _unsettled.Spooled(key);
            }

            Count("spool_full", [.. written.Evicted.Select(_unsettled.Evicted).OfType<UnsettledBatch>()]);
        });
        Receive<SpoolActor.Loaded>(loaded =>
        {
            Count("spool_damaged", _unsettled.Loaded(loaded.Key, loaded.Batch) is { } lost ? [lost] : []);
            SendNext();
        });
    }

    private void TakeName(Rename rename)
    {
        var ours = _unsettled.All().Where(batch => batch.Key.Epoch == _identity.Epoch && batch.Content is not null).Select(batch => batch.Content!).ToList();
        var keys = ours.Select(BatchKey.Of).ToHashSet();
        Drop("cloned_id", [.. _unsettled.All().Select(batch => batch.Key).Where(key => !keys.Contains(key))]);
        foreach (var key in keys)
        {
            _unsettled.Settle(key);
        }

        _spool.Tell(new SpoolActor.Settle([.. keys]));
        (_identity, _envelopes) = (rename.Identity, new Envelopes(rename.Identity));
        var renamed = ours.ConvertAll(_envelopes.Rename);
        renamed.ForEach(submit => _unsettled.Add(submit, _options.Clock.GetUtcNow()));
        if (renamed.Count > 0)
        {
            _spool.Tell(new SpoolActor.Write(renamed));
        }
    }
}
