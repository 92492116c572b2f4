using ActorProfiler.Protocol;
using ActorProfiler.Telemetry;
using Akka.Actor;
using Akka.Event;

namespace ActorProfiler.Collector.Batching;

/// <summary>
/// Sends batches to the aggregator tier and keeps each until it is stored there.
/// Waiting until an aggregator is connected; Sending while it is. A batch that is not answered is sent again, over the next
/// connection or after <see cref="ResendAfter"/>; receivers drop repeats. Past the byte bound the oldest batch is dropped and counted.
/// </summary>
internal sealed class BatchSenderActor : ReceiveActor, IWithTimers
{
    /// <summary>Longer than a window, so that a batch is not sent again while it waits in one.</summary>
    public static readonly TimeSpan ResendAfter = TimeSpan.FromSeconds(60);

    private readonly UnsettledBatches _unsettled;
    private readonly Envelopes _envelopes;
    private readonly LossLedger _ledger;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private IActorRef _aggregator = ActorRefs.Nobody;
    private bool _isConnected;
    private long _creditBytes;
    private long _settledAtLastCheck;
    private IActorRef? _drainWaiter;

    public BatchSenderActor(CollectorIdentity identity, LossLedger ledger, long bufferBytes)
    {
        (_envelopes, _ledger, _unsettled) = (new Envelopes(identity), ledger, new UnsettledBatches(bufferBytes));
        Waiting();
    }

    /// <summary>Asks the actor to send these batches. There is no reply.</summary>
    public sealed record Send(IReadOnlyList<TargetBatch> Batches);

    /// <summary>An aggregator takes batches at <paramref name="Aggregator"/> and answers <see cref="Stored"/> or <see cref="Refused"/>.</summary>
    public sealed record Connected(IActorRef Aggregator, long CreditBytes);

    /// <summary>The last <see cref="Connected"/> is void.</summary>
    public sealed record Disconnected;

    /// <summary>The collector is stopping: aggregators are asked to store at once, and <see cref="Drained"/> comes when nothing is unsettled any more.</summary>
    public sealed record Drain;

    public sealed record Drained;

    private sealed record CheckProgress;

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(CollectorIdentity identity, LossLedger ledger, long bufferBytes) =>
        Akka.Actor.Props.Create(() => new BatchSenderActor(identity, ledger, bufferBytes));

    protected override void PreStart() =>
        Timers.StartPeriodicTimer(nameof(CheckProgress), new CheckProgress(), ResendAfter);

    private void Waiting()
    {
        Receive<Send>(Keep);
        ReceiveAnswers();
        Receive<Disconnected>(_ => { });
        Receive<CheckProgress>(_ => { }); // nothing is under way
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
            _unsettled.Resend();
            Become(Waiting);
        });
        ReceiveAnswers();
        Receive<CheckProgress>(_ => ResendStuck());
    }

    private void ReceiveAnswers()
    {
        Receive<Connected>(connected =>
        {
            (_aggregator, _creditBytes, _isConnected) = (connected.Aggregator, connected.CreditBytes, true);
            _unsettled.Resend();
            Become(Sending);
            SendNext();
        });
        Receive<Stored>(stored =>
        {
            foreach (var sequence in stored.Sequences)
            {
                _ledger.Deliver((long)(_unsettled.Settle(new BatchKey(stored.Epoch, sequence))?.Ticks ?? 0));
            }

            SendNext();
        });
        Receive<Refused>(refused =>
        {
            _log.Warning("aggregator refused batch {0} ({1}): {2}", refused.Sequence, refused.Reason, refused.Message);
            _ledger.Drop("refused_" + refused.Reason, (long)(_unsettled.Settle(new BatchKey(refused.Epoch, refused.Sequence))?.Ticks ?? 0));
            SendNext();
        });
        Receive<Drain>(_ =>
        {
            _drainWaiter = Sender;
            _unsettled.Hurry();
            SendNext();
        });
    }

    private void Keep(Send send)
    {
        foreach (var batch in send.Batches)
        {
            foreach (var lost in _unsettled.Add(_envelopes.Wrap(batch)))
            {
                _log.Warning("dropped batch {0} of {1} ticks: the send buffer is full", lost.Sequence, lost.Ticks);
                _ledger.Drop("send_buffer_full", (long)lost.Ticks);
            }
        }
    }

    private void SendNext()
    {
        while (_isConnected && _unsettled.Next(_creditBytes) is { } submit)
        {
            _aggregator.Tell(submit);
        }

        AnswerDrain();
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

    private void AnswerDrain()
    {
        if (_drainWaiter is { } waiter && _unsettled.Count == 0)
        {
            _drainWaiter = null;
            waiter.Tell(new Drained());
        }
    }
}
