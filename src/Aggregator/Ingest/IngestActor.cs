using ActorProfiler.Aggregator.Aggregation;
using ActorProfiler.Protocol;
using Akka.Actor;
using Akka.Event;
using Google.Protobuf;

namespace ActorProfiler.Aggregator.Ingest;

/// <summary>
/// One collector's entrance. Takes <see cref="Submit"/>; its client hears <see cref="Stored"/>, <see cref="Refused"/> or, beyond its quota,
/// <see cref="Deferred"/>. Silence means: send again later. Times of a collector whose clock is wrong are corrected here.
/// </summary>
internal sealed class IngestActor : ReceiveActor
{
    /// <summary>Clocks that differ by less are right: a batch may wait for so long on its way.</summary>
    private static readonly TimeSpan _clockTolerance = TimeSpan.FromSeconds(30);

    private readonly ByteString _collector;
    private readonly CollectorQuota _quota;
    private readonly TimeProvider _clock;
    private readonly IActorRef _series;
    private readonly IIngestClient _client;
    private readonly AggregatorMetrics _metrics;
    private readonly Dictionary<(ulong Epoch, ulong Sequence), int> _unanswered = [];
    private readonly long _credit;
    private long _bytes;
    private bool _isCorrected;

    public IngestActor(ByteString collector, CollectorQuota quota, IIngestClient client, IActorRef series, long credit, AggregatorMetrics metrics, TimeProvider clock)
    {
        (_quota, _clock) = (quota, clock);
        _collector = collector;
        _client = client;
        _series = series;
        _credit = credit;
        _metrics = metrics;

        Receive<Submit>(Take);
        Receive<Stored>(stored =>
        {
            foreach (var sequence in stored.Sequences)
            {
                Answered(stored.Epoch, sequence);
            }

            _client.Send(new AggregatorMessage { Stored = stored });
        });
        Receive<Refused>(Answer);
    }

    public static Props Props(ByteString collector, CollectorQuota quota, IIngestClient client, IActorRef series, long credit, AggregatorMetrics metrics, TimeProvider clock) =>
        Akka.Actor.Props.Create(() => new IngestActor(collector, quota, client, series, credit, metrics, clock));

    protected override void PreStart() => _metrics.Streams.Inc();

    protected override void PostStop()
    {
        _metrics.Streams.Dec();
        _client.Close("the aggregator is stopping");
    }

    private void Take(Submit submit)
    {
        _metrics.ReceivedBytes.Inc(submit.Payload.Length);
        if (SubmitCheck.Find(submit, _collector.Span) is { } wrong)
        {
            _metrics.Refused.WithLabels("malformed").Inc();
            Answer(new Refused { Epoch = submit.Epoch, Sequence = submit.Sequence, Reason = "malformed", Message = wrong });
            return;
        }

        if (_quota.Take(submit, SubmitCheck.SeriesHash(submit)) is { } exceeded)
        {
            _metrics.Deferred.WithLabels(exceeded.Reason).Inc();
            _client.Send(new AggregatorMessage
            {
                Deferred = new Deferred { Epoch = submit.Epoch, Sequence = submit.Sequence, Reason = exceeded.Reason, RetryAfterMillis = (uint)exceeded.RetryAfter.TotalMilliseconds },
            });
            return;
        }

        if (_unanswered.TryAdd((submit.Epoch, submit.Sequence), submit.Payload.Length))
        {
            _bytes += submit.Payload.Length;
            if (_bytes > _credit)
            {
                // Only a collector that ignores its Welcome gets here.
                _client.Close($"more than {_credit} bytes are unanswered");
                Context.Stop(Self);
                return;
            }
        }

        CorrectClock(submit);
        _series.Tell(submit, Self);
    }

    private void CorrectClock(Submit submit)
    {
        submit.CorrectMillis = 0;
        var wrong = _clock.GetUtcNow().ToUnixTimeMilliseconds() - submit.SentUnixMillis;
        if (submit.SentUnixMillis == 0 || Math.Abs((double)wrong) < _clockTolerance.TotalMilliseconds)
        {
            return;
        }

        if (!_isCorrected)
        {
            _isCorrected = true;
            Context.GetLogger().Warning(
                "the clock of collector {Id} is {Seconds} s {Way}; the times of its samples are corrected",
                Convert.ToHexStringLower(_collector.Span), Math.Abs(wrong) / 1000, wrong > 0 ? "behind" : "ahead");
        }

        submit.CorrectMillis = wrong;
        _metrics.Corrected.Inc();
    }

    private void Answer(Refused refused)
    {
        Answered(refused.Epoch, refused.Sequence);
        _client.Send(new AggregatorMessage { Refused = refused });
    }

    private void Answered(ulong epoch, ulong sequence)
    {
        if (_unanswered.Remove((epoch, sequence), out var bytes))
        {
            _bytes -= bytes;
        }
    }
}

/// <summary>The other end of a stream.</summary>
internal interface IIngestClient
{
    void Send(AggregatorMessage message);

    /// <summary>Ends the stream; may be called more than once.</summary>
    /// <param name="isCloned">Another process is connected under its identity.</param>
    void Close(string reason, bool isCloned = false);
}

/// <summary>A collector in this process: it hears the messages themselves.</summary>
internal sealed class LocalIngestClient(IActorRef collector) : IIngestClient
{
    public void Send(AggregatorMessage message) =>
        collector.Tell(message.MessageCase switch
        {
            AggregatorMessage.MessageOneofCase.Stored => message.Stored,
            AggregatorMessage.MessageOneofCase.Deferred => message.Deferred,
            _ => message.Refused,
        });

    public void Close(string reason, bool isCloned = false)
    {
    }
}
