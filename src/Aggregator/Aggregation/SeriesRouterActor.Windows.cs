using ActorProfiler.Labels;
using ActorProfiler.Protocol;
using Akka.Actor;
using Akka.Event;

namespace ActorProfiler.Aggregator.Aggregation;

/// <content>What becomes of a batch once it is in a window.</content>
internal sealed partial class SeriesRouterActor
{
    private static readonly TimeSpan _hurryPause = TimeSpan.FromMilliseconds(200);

    // The batches of a stopping collector come together: one moment's wait keeps them in one profile.
    private void Hurry(BatchId id)
    {
        if (_series.Find(id) is { } series && _hurried.Add(series) && _hurried.Count == 1)
        {
            Timers.StartSingleTimer(nameof(CloseHurried), CloseHurried.Instance, _hurryPause);
        }
    }

    private void CloseHurriedWindows()
    {
        foreach (var series in _hurried)
        {
            series.Actor.Tell(CloseWindow.Instance);
        }

        _hurried.Clear();
    }

    private void Encode(WindowClosed closed)
    {
        foreach (var batch in closed.Batches)
        {
            _series.Leave(batch);
        }

        _encoder.Tell(closed);
    }

    private void Confirm(BatchesStored stored)
    {
        var confirmed = new Dictionary<(IActorRef, ulong), Stored>();
        foreach (var id in stored.Batches)
        {
            if (_batches.Store(id, _options.Clock.GetUtcNow()) is not { } batch)
            {
                continue;
            }

            _options.Ledger.Deliver(batch.Ticks);
            if (!confirmed.TryGetValue((batch.ReplyTo, id.Epoch), out var message))
            {
                message = new Stored { Epoch = id.Epoch };
                confirmed.Add((batch.ReplyTo, id.Epoch), message);
            }

            message.Sequences.Add(id.Sequence);
        }

        foreach (var ((replyTo, _), message) in confirmed)
        {
            replyTo.Tell(message);
        }

        ReportDrained();
    }

    private void Refuse(BatchId id, string reason, string message)
    {
        _series.Leave(id);
        if (_batches.Remove(id) is not { } batch)
        {
            return;
        }

        _options.Ledger.Drop(reason, batch.Ticks);
        _metrics.Refused.WithLabels(reason).Inc();
        batch.ReplyTo.Tell(new Refused { Epoch = id.Epoch, Sequence = id.Sequence, Reason = reason, Message = message });
        ReportDrained();
    }

    private void StopIdle(SeriesIdle idle)
    {
        if (_series.Find(idle.Labels) is { Open.Count: 0 } series)
        {
            Context.Stop(series.Actor);
            _series.Retire(series);
            _metrics.Series.Set(_series.Count);
        }
    }

    private void Forget(IActorRef actor)
    {
        if (_series.Remove(actor) is not { } series)
        {
            return;
        }

        Context.GetLogger().Error("the series {Labels} failed; its {Batches} batches will come again", series.Labels, series.Open.Count);
        foreach (var id in series.Open)
        {
            _options.Ledger.Drop("series_failed", _batches.Remove(id)?.Ticks ?? 0);
        }

        ReportDrained();
    }

    private void CloseWindows(Func<LabelSet, bool> which)
    {
        foreach (var series in _series.All)
        {
            if (which(series.Labels))
            {
                series.Actor.Tell(CloseWindow.Instance);
            }
        }
    }

    private void ReportDrained()
    {
        if (_drainers.Count > 0 && _batches.OpenCount == 0)
        {
            _drainers.ForEach(drainer => drainer.Tell(Drained.Instance));
            _drainers.Clear();
        }
    }

    private sealed record CloseHurried
    {
        public static readonly CloseHurried Instance = new();
    }
}
