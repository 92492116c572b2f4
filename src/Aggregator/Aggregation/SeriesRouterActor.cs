using System.Collections.Immutable;
using ActorProfiler.Labels;
using ActorProfiler.Protocol;
using Akka.Actor;

namespace ActorProfiler.Aggregator.Aggregation;

/// <summary>
/// Sends each batch to the owner of its series: another aggregator, or a child of this one. Drops repeats and tells
/// the sender of a batch when it is on disk. A batch that was sent before is taken only when no other aggregator holds it. Routing until <see cref="Drain"/>; then Draining: batches are left unanswered, so that
/// their collectors send them to another aggregator.
/// </summary>
internal sealed partial class SeriesRouterActor : ReceiveActor, IWithTimers
{
    /// <summary>Name under <c>/user/aggregator</c>, the same on every node.</summary>
    public const string Name = "series";

    private SeriesRouterOptions _options;
    private readonly AggregatorMetrics _metrics;
    private readonly BatchIndex _batches = new();
    private readonly SeriesTable _series = new();
    private readonly DoubtfulBatches _doubts = new();
    private readonly HashSet<OwnedSeries> _hurried = [];
    private readonly List<IActorRef> _drainers = [];
    private readonly IActorRef _encoder;
    private Aggregators _aggregators;

    public SeriesRouterActor(SeriesRouterOptions options, IActorRef encoder, AggregatorMetrics metrics)
    {
        _options = options;
        _encoder = encoder;
        _metrics = metrics;
        foreach (var batch in options.Stored)
        {
            _batches.Store(batch, options.Clock.GetUtcNow());
        }

        _aggregators = new Aggregators(SeriesRing.Empty, options.Others.ToImmutableDictionary(other => other, _ => (DateTimeOffset?)options.Clock.GetUtcNow()));
        Routing();
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(SeriesRouterOptions options, IActorRef encoder, AggregatorMetrics metrics) =>
        Akka.Actor.Props.Create(() => new SeriesRouterActor(options, encoder, metrics));

    protected override bool AroundReceive(Receive receive, object message)
    {
        var isHandled = base.AroundReceive(receive, message);
        _options.Ledger.Hold(_batches.OpenTicks);
        return isHandled;
    }

    protected override void PreStart() => Timers.StartPeriodicTimer(nameof(Prune), Prune.Instance, TimeSpan.FromMinutes(1));

    // The window of a failed series is gone; its batches come again.
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Stop);

    private void Routing()
    {
        Receive<Submit>(Route);
        Receive<Aggregators>(Follow);
        Receive<Holds>(Settle);
        Receive<AskAgain>(_ => AskAgainOrGiveUp());
        Receive<SeriesIdle>(StopIdle);
        Receive<CloseHurried>(_ => CloseHurriedWindows());
        Receive<Drain>(_ =>
        {
            _drainers.Add(Sender);
            _doubts.Clear();
            Become(Draining);
            CloseWindows(_ => true);
            ReportDrained();
        });
        Common();
    }

    private void Draining()
    {
        Receive<Submit>(_ => { });
        Receive<Aggregators>(_ => { });
        Receive<Holds>(_ => { });
        Receive<AskAgain>(_ => { });
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
        Receive<WhoHolds>(Answer);
        Receive<WindowClosed>(Encode);
        Receive<SetWindow>(set =>
        {
            _options = _options with { Window = set.Length };
            foreach (var series in Context.GetChildren())
            {
                series.Tell(set);
            }
        });
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

    private void Follow(Aggregators aggregators)
    {
        _aggregators = aggregators;
        CloseWindows(series => OwnerElsewhere(series) is not null);
        foreach (var doubt in _doubts.Keep(aggregators.Others.Keys.ToHashSet()))
        {
            TakeUnheld(doubt);
        }
    }

    private void Route(Submit submit)
    {
        var labels = LabelsOf(submit);
        // What another aggregator sent is not sent on: views of the ring differ for a moment, and a batch must not circle.
        if (!Sender.Path.Address.HasGlobalScope && OwnerElsewhere(labels) is { } owner)
        {
            RouterAt(owner).Tell(submit, Sender);
            return;
        }

        var id = BatchId.Of(submit);
        if (submit.Resent && !_batches.Holds(id) && _aggregators.Holders(submit, _options.Clock.GetUtcNow()) is { Count: > 0 } holders)
        {
            AskOthers(id, submit, holders);
            return;
        }

        Take(id, labels, submit, Sender);
    }

    private void Take(BatchId id, LabelSet labels, Submit submit, IActorRef replyTo)
    {
        if (_batches.OpenBytes > _options.OpenBytesLimit || (_series.Count >= _options.SeriesLimit && _series.Find(labels) is null))
        {
            _metrics.Deferred.WithLabels(_series.Count >= _options.SeriesLimit ? "series_limit" : "bytes_limit").Inc();
            return;
        }

        var batch = new BatchIndex.OpenBatch(replyTo, checked((long)submit.Ticks), SubmitCheck.Cost(submit));
        switch (_batches.Admit(id, submit.SettledBelow, batch, _options.Clock.GetUtcNow(), submit.Resent))
        {
            case BatchIndex.Verdict.New:
                _options.Ledger.Enter(batch.Ticks);
                Add(id, labels, submit);
                break;
            case BatchIndex.Verdict.Stored:
                _metrics.Repeats.Inc();
                replyTo.Tell(new Stored { Epoch = id.Epoch, Sequences = { id.Sequence } });
                break;
            case BatchIndex.Verdict.Open:
                _metrics.Repeats.Inc();
                break;
            case BatchIndex.Verdict.Ceded:
                _metrics.Deferred.WithLabels("ceded").Inc();
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

    private void Add(BatchId id, LabelSet labels, Submit submit)
    {
        if (_series.Find(labels) is not { } series)
        {
            series = _series.Add(labels, Context.ActorOf(SeriesActor.Props(labels, _options.Window)));
            Context.Watch(series.Actor);
            _metrics.Series.Set(_series.Count);
        }

        _series.Enter(id, series);
        series.Actor.Tell(new AddBatch(id, submit));
    }

    private Address? OwnerElsewhere(LabelSet labels) =>
        _aggregators.Ring.Owner(labels.Hash) is { } owner && !owner.Equals(_options.Self) ? owner : null;

    // What tells processes and containers of a service apart is left out: they share its windows, and no server takes two profiles with equal labels and time.
    private static LabelSet LabelsOf(Submit submit) =>
        LabelSet.From(submit.Labels.Where(label => LabelNames.IsOfSeries(label.Name)).Select(label => new LabelPair(label.Name, label.Value)));

    private static ActorSelection RouterAt(Address node) => Context.ActorSelection(new RootActorPath(node) / "user" / "aggregator" / Name);

    private sealed record Prune
    {
        public static readonly Prune Instance = new();
    }
}
