using ActorProfiler.Labels;
using ActorProfiler.Protocol;
using Akka.Actor;
using Akka.Event;

namespace ActorProfiler.Aggregator.Aggregation;

/// <summary>
/// Sends each batch to the owner of its series: another aggregator, or a child of this one. Drops repeats and tells
/// the sender of a batch when it is on disk. Routing until <see cref="Drain"/>; then Draining: batches are left unanswered, so that
/// their collectors send them to another aggregator.
/// </summary>
internal sealed class SeriesRouterActor : ReceiveActor, IWithTimers
{
    /// <summary>Name under <c>/user/aggregator</c>, the same on every node.</summary>
    public const string Name = "series";

    private static readonly TimeSpan _hurryPause = TimeSpan.FromMilliseconds(200);

    private readonly SeriesRouterOptions _options;
    private readonly AggregatorMetrics _metrics;
    private readonly BatchIndex _batches = new();
    private readonly Dictionary<LabelSet, Series> _series = [];
    private readonly Dictionary<IActorRef, LabelSet> _labels = [];
    private readonly Dictionary<BatchId, Series> _windows = [];
    private readonly HashSet<Series> _hurried = [];
    private readonly List<IActorRef> _drainers = [];
    private readonly IActorRef _encoder;
    private SeriesRing _ring = SeriesRing.Empty;

    public SeriesRouterActor(SeriesRouterOptions options, IActorRef encoder, AggregatorMetrics metrics)
    {
        _options = options;
        _encoder = encoder;
        _metrics = metrics;
        foreach (var batch in options.Stored)
        {
            _batches.Store(batch, options.Clock.GetUtcNow());
        }

        Routing();
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(SeriesRouterOptions options, IActorRef encoder, AggregatorMetrics metrics) =>
        Akka.Actor.Props.Create(() => new SeriesRouterActor(options, encoder, metrics));

    protected override void PreStart() => Timers.StartPeriodicTimer(nameof(Prune), Prune.Instance, TimeSpan.FromMinutes(1));

    // The window of a failed series is gone; its batches come again.
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Stop);

    private void Routing()
    {
        Receive<Submit>(Route);
        Receive<SeriesRing>(ring =>
        {
            _ring = ring;
            CloseWindows(series => OwnerElsewhere(series) is not null);
        });
        Receive<SeriesIdle>(StopIdle);
        Receive<CloseHurried>(_ => CloseHurriedWindows());
        Receive<Drain>(_ =>
        {
            _drainers.Add(Sender);
            Become(Draining);
            CloseWindows(_ => true);
            ReportDrained();
        });
        Common();
    }

    private void Draining()
    {
        Receive<Submit>(_ => { });
        Receive<SeriesRing>(_ => { });
        Receive<SeriesIdle>(_ => { });
        Receive<CloseHurried>(_ => { });
        Receive<Drain>(_ =>
        {
            _drainers.Add(Sender);
            ReportDrained();
        });
        Common();
    }

    private void Common()
    {
        Receive<WindowClosed>(Encode);
        Receive<BatchRefused>(refused => Refuse(refused.Batch, "malformed", refused.Message));
        Receive<BatchesStored>(Confirm);
        Receive<BatchesLost>(lost =>
        {
            foreach (var batch in lost.Batches)
            {
                Refuse(batch, lost.Reason, "the aggregator failed to make a profile of it");
            }

            ReportDrained();
        });
        Receive<Terminated>(stopped => Forget(stopped.ActorRef));
        Receive<Prune>(_ => _batches.Prune(_options.Clock.GetUtcNow() - _options.RememberFor));
    }

    private void Route(Submit submit)
    {
        var labels = LabelSet.From(submit.Labels.Select(label => new LabelPair(label.Name, label.Value)));
        // What another aggregator sent is not sent on: views of the ring differ for a moment, and a batch must not circle.
        if (!Sender.Path.Address.HasGlobalScope && OwnerElsewhere(labels) is { } owner)
        {
            Context.ActorSelection(new RootActorPath(owner) / "user" / "aggregator" / Name).Tell(submit, Sender);
            return;
        }

        Take(BatchId.Of(submit), labels, submit);
    }

    private void Take(BatchId id, LabelSet labels, Submit submit)
    {
        if (_batches.OpenBytes > _options.OpenBytesLimit || (_series.Count >= _options.SeriesLimit && !_series.ContainsKey(labels)))
        {
            _metrics.Deferred.WithLabels(_series.Count >= _options.SeriesLimit ? "series_limit" : "bytes_limit").Inc();
            return;
        }

        var batch = new BatchIndex.OpenBatch(Sender, checked((long)submit.Ticks), submit.Payload.Length);
        switch (_batches.Admit(id, submit.SettledBelow, batch, _options.Clock.GetUtcNow()))
        {
            case BatchIndex.Verdict.New:
                _options.Ledger.Enter(batch.Ticks);
                Add(id, labels, submit);
                break;
            case BatchIndex.Verdict.Stored:
                _metrics.Repeats.Inc();
                Sender.Tell(new Stored { Epoch = id.Epoch, Sequences = { id.Sequence } });
                break;
            case BatchIndex.Verdict.Open:
                _metrics.Repeats.Inc();
                break;
            case BatchIndex.Verdict.Full:
                _metrics.Deferred.WithLabels("unsettled_limit").Inc();
                break;
        }

        if (submit.Hurry)
        {
            Hurry(id);
        }
    }

    // The batches of a stopping collector come together: one moment's wait keeps them in one profile.
    private void Hurry(BatchId id)
    {
        if (_windows.TryGetValue(id, out var series) && _hurried.Add(series) && _hurried.Count == 1)
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

    private void Add(BatchId id, LabelSet labels, Submit submit)
    {
        if (!_series.TryGetValue(labels, out var series))
        {
            series = new Series(Context.ActorOf(SeriesActor.Props(labels, _options.Window)), []);
            Context.Watch(series.Actor);
            _series.Add(labels, series);
            _labels.Add(series.Actor, labels);
            _metrics.Series.Set(_series.Count);
        }

        series.Open.Add(id);
        _windows.Add(id, series);
        series.Actor.Tell(new AddBatch(id, submit));
    }

    private void Encode(WindowClosed closed)
    {
        foreach (var batch in closed.Batches)
        {
            LeaveWindow(batch);
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
        LeaveWindow(id);
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
        if (_series.TryGetValue(idle.Labels, out var series) && series.Open.Count == 0)
        {
            Context.Stop(series.Actor);
            _series.Remove(idle.Labels);
            _metrics.Series.Set(_series.Count);
        }
    }

    private void Forget(IActorRef actor)
    {
        if (!_labels.Remove(actor, out var labels) || !_series.TryGetValue(labels, out var series) || !series.Actor.Equals(actor))
        {
            return;
        }

        Context.GetLogger().Error("the series {Labels} failed; its {Batches} batches will come again", labels, series.Open.Count);
        _series.Remove(labels);
        foreach (var id in series.Open)
        {
            _windows.Remove(id);
            _options.Ledger.Drop("series_failed", _batches.Remove(id)?.Ticks ?? 0);
        }

        ReportDrained();
    }

    private void LeaveWindow(BatchId id)
    {
        if (_windows.Remove(id, out var series))
        {
            series.Open.Remove(id);
        }
    }

    private Address? OwnerElsewhere(LabelSet labels) =>
        _ring.Owner(labels.Hash) is { } owner && !owner.Equals(_options.Self) ? owner : null;

    private void CloseWindows(Func<LabelSet, bool> which)
    {
        foreach (var (labels, series) in _series)
        {
            if (which(labels))
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

    /// <param name="Open">Batches told to the actor that have not come back in a closed window.</param>
    private sealed record Series(IActorRef Actor, HashSet<BatchId> Open)
    {
        public bool Equals(Series? other) => ReferenceEquals(this, other);

        public override int GetHashCode() => Actor.GetHashCode();
    }

    private sealed record CloseHurried
    {
        public static readonly CloseHurried Instance = new();
    }

    private sealed record Prune
    {
        public static readonly Prune Instance = new();
    }
}
