using ActorProfiler.Protocol;
using ActorProfiler.Telemetry;
using Akka.Actor;
using Akka.Event;

namespace ActorProfiler.Collector.Batching;

/// <summary>
/// Sends batches to the aggregator tier and keeps each, in memory and on disk, until it is stored there.
/// Waiting until an aggregator is connected; Sending while it is. A batch that is not answered is sent again, over the next
/// connection or after <see cref="ResendAfter"/>; receivers drop repeats. Past the bounds the oldest batch is dropped and counted.
/// </summary>
internal sealed partial class BatchSenderActor : ReceiveActor, IWithTimers
{
    /// <summary>Longer than a window, so that a batch is not sent again while it waits in one.</summary>
    public static readonly TimeSpan ResendAfter = TimeSpan.FromSeconds(60);

    /// <summary>No destination takes older profiles.</summary>
    public static readonly TimeSpan MaxAge = TimeSpan.FromMinutes(55);

    private readonly BatchSenderOptions _options;
    private readonly UnsettledBatches _unsettled;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly IActorRef _spool;
    private Envelopes _envelopes;
    private CollectorIdentity _identity;
    private IActorRef _aggregator = ActorRefs.Nobody;
    private bool _isConnected;
    private long _creditBytes;
    private long _settledAtLastCheck;
    private IActorRef? _drainWaiter;

    public BatchSenderActor(BatchSenderOptions options)
    {
        (_options, _identity, _envelopes) = (options, options.Identity, new Envelopes(options.Identity));
        _unsettled = new UnsettledBatches(options.MemoryBytes);
        _spool = Context.ActorOf(SpoolActor.Props(options.SpoolFolder, options.SpoolBytes), "spool");
        options.Health.Report("aggregator", "no aggregator has been connected yet");
        Waiting();
    }

    /// <summary>Asks the actor to send these batches. There is no reply.</summary>
    public sealed record Send(IReadOnlyList<TargetBatch> Batches);

    /// <summary>An aggregator takes batches at <paramref name="Aggregator"/> and answers <see cref="Stored"/> or <see cref="Refused"/>.</summary>
    public sealed record Connected(IActorRef Aggregator, long CreditBytes);

    /// <summary>The last <see cref="Connected"/> is void.</summary>
    public sealed record Disconnected;

    /// <summary>
    /// Another collector has this one's identity: from now on this one has another. Batches of earlier starts are the other's to send.
    /// </summary>
    public sealed record Rename(CollectorIdentity Identity);

    /// <summary>The collector is stopping: aggregators are asked to store at once, and <see cref="Drained"/> comes when nothing is unsettled any more.</summary>
    public sealed record Drain;

    public sealed record Drained;

    private sealed record CheckProgress;

    private sealed record Undefer;

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(BatchSenderOptions options) => Akka.Actor.Props.Create(() => new BatchSenderActor(options));

    // Each message changes what waits, so it is said after each.
    protected override bool AroundReceive(Receive receive, object message)
    {
        var isHandled = base.AroundReceive(receive, message);
        _options.Ledger.Hold(_unsettled.Ticks);
        return isHandled;
    }

    protected override void PreStart() =>
        Timers.StartPeriodicTimer(nameof(CheckProgress), new CheckProgress(), ResendAfter);

    private void Waiting()
    {
        Receive<Send>(Keep);
        Receive<Disconnected>(_ => { });
        Receive<CheckProgress>(_ => DropExpired());
        ReceiveCommon();
    }

    private void Sending()
    {
        Receive<Send>(send =>
        {
            Keep(send);
            SendNext();
        });
        Receive<Disconnected>(_ =>
        {
            _isConnected = false;
            _options.Health.Report("aggregator", "no aggregator is connected; batches wait");
            _unsettled.Resend();
            Become(Waiting);
        });
        Receive<CheckProgress>(_ =>
        {
            DropExpired();
            ResendStuck();
        });
        ReceiveCommon();
    }

    private void ReceiveCommon()
    {
        ReceiveAnswers();
        ReceiveSpool();
        Receive<Connected>(connected =>
        {
            (_aggregator, _creditBytes, _isConnected) = (connected.Aggregator, connected.CreditBytes, true);
            _options.Health.Clear("aggregator");
            _unsettled.Resend();
            Become(Sending);
            SendNext();
        });
        Receive<Rename>(TakeName);
        Receive<Drain>(_ =>
        {
            _drainWaiter = Sender;
            _unsettled.Hurry();
            SendNext();
        });
    }

    private void Keep(Send send)
    {
        var now = _options.Clock.GetUtcNow();
        var submits = send.Batches.Select(_envelopes.Wrap).ToList();
        Count("send_buffer_full", [.. submits.SelectMany(submit => _unsettled.Add(submit, now))]);
        if (submits.Count > 0)
        {
            _spool.Tell(new SpoolActor.Write(submits));
        }
    }

    private void SendNext()
    {
        while (_isConnected)
        {
            var submit = _unsettled.Next(_creditBytes, _options.Clock.GetUtcNow(), out var load);
            if (load is { } key)
            {
                _spool.Tell(new SpoolActor.Load(key));
            }

            if (submit is null)
            {
                break;
            }

            _aggregator.Tell(submit);
        }

        if (_drainWaiter is { } waiter && _unsettled.Count == 0)
        {
            _drainWaiter = null;
            waiter.Tell(new Drained());
        }
    }

    private void ResendStuck()
    {
        if (_unsettled.Count > 0 && _unsettled.Settled == _settledAtLastCheck)
        {
            _unsettled.Resend();
            SendNext();
        }

        _settledAtLastCheck = _unsettled.Settled;
    }

    private void DropExpired() => Drop("expired", _unsettled.From(_options.Clock.GetUtcNow() - MaxAge));

    private void Drop(string reason, IReadOnlyList<BatchKey> keys)
    {
        if (keys.Count > 0)
        {
            Count(reason, [.. keys.Select(_unsettled.Settle).OfType<UnsettledBatch>()]);
            _spool.Tell(new SpoolActor.Settle(keys));
        }
    }

    private void Count(string reason, IReadOnlyList<UnsettledBatch> lost)
    {
        foreach (var batch in lost)
        {
            _options.Ledger.Drop(reason, batch.Ticks);
            _options.Metrics.OnLost(batch.ServiceName, reason, batch.Ticks);
        }

        if (lost.Count > 0)
        {
            _log.Warning("dropped {0} batches of {1} ticks: {2}", lost.Count, lost.Sum(batch => batch.Ticks), reason);
        }
    }
}

/// <param name="MemoryBytes">Bound of the payloads in memory.</param>
/// <param name="SpoolFolder">Where unsettled batches are on disk.</param>
/// <param name="SpoolBytes">Bound of the files there.</param>
internal sealed record BatchSenderOptions(
    CollectorIdentity Identity, LossLedger Ledger, CollectorMetrics Metrics, Health Health, TimeProvider Clock, long MemoryBytes, string SpoolFolder, long SpoolBytes);
