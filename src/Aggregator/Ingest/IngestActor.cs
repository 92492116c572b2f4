using ActorProfiler.Aggregator.Aggregation;
using ActorProfiler.Protocol;
using Akka.Actor;
using Google.Protobuf;

namespace ActorProfiler.Aggregator.Ingest;

/// <summary>
/// One collector's entrance. Takes <see cref="Submit"/>; its client hears <see cref="Stored"/> or <see cref="Refused"/>.
/// Silence means: send again later.
/// </summary>
internal sealed class IngestActor : ReceiveActor
{
    private readonly ByteString _collector;
    private readonly IActorRef _series;
    private readonly IIngestClient _client;
    private readonly AggregatorMetrics _metrics;
    private readonly Dictionary<(ulong Epoch, ulong Sequence), int> _unanswered = [];
    private readonly long _credit;
    private long _bytes;

    public IngestActor(ByteString collector, IIngestClient client, IActorRef series, long credit, AggregatorMetrics metrics)
    {
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

    public static Props Props(ByteString collector, IIngestClient client, IActorRef series, long credit, AggregatorMetrics metrics) =>
        Akka.Actor.Props.Create(() => new IngestActor(collector, client, series, credit, metrics));

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

        _series.Tell(submit, Self);
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
    void Close(string reason);
}

/// <summary>A collector in this process: it hears the messages themselves.</summary>
internal sealed class LocalIngestClient(IActorRef collector) : IIngestClient
{
    public void Send(AggregatorMessage message) =>
        collector.Tell(message.MessageCase == AggregatorMessage.MessageOneofCase.Stored ? message.Stored : message.Refused);

    public void Close(string reason)
    {
    }
}
