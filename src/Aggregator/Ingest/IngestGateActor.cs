using ActorProfiler.Aggregator.Aggregation;
using ActorProfiler.Protocol;
using Akka.Actor;
using Google.Protobuf;

namespace ActorProfiler.Aggregator.Ingest;

/// <summary>
/// Opens an <see cref="IngestActor"/> per stream. A collector in this process just tells its <see cref="Submit"/>s here.
/// </summary>
internal sealed class IngestGateActor : ReceiveActor
{
    public const string Name = "ingest";

    private readonly IActorRef _series;
    private readonly AggregatorMetrics _metrics;
    private readonly Dictionary<(IActorRef, ByteString), IActorRef> _local = [];

    public IngestGateActor(IActorRef series, AggregatorMetrics metrics)
    {
        _series = series;
        _metrics = metrics;
        Receive<Open>(open => Sender.Tell(Context.ActorOf(IngestActor.Props(open.Collector, open.Client, _series, open.Credit, _metrics))));
        Receive<Submit>(submit => submit.CollectorId.Length == BatchId.CollectorBytes, submit => LocalFor(Sender, submit).Forward(submit));
        Receive<Terminated>(gone => Close(gone.ActorRef));
    }

    public static Props Props(IActorRef series, AggregatorMetrics metrics) => Akka.Actor.Props.Create(() => new IngestGateActor(series, metrics));

    private IActorRef LocalFor(IActorRef collector, Submit submit)
    {
        if (!_local.TryGetValue((collector, submit.CollectorId), out var ingest))
        {
            ingest = Context.ActorOf(IngestActor.Props(
                submit.CollectorId, new LocalIngestClient(collector), _series, long.MaxValue, _metrics));
            Context.Watch(collector);
            _local.Add((collector, submit.CollectorId), ingest);
        }

        return ingest;
    }

    private void Close(IActorRef collector)
    {
        foreach (var (key, ingest) in _local.Where(pair => pair.Key.Item1.Equals(collector)).ToList())
        {
            _local.Remove(key);
            Context.Stop(ingest);
        }
    }

    /// <summary>Opens a stream; the reply is the <see cref="IActorRef"/> of its <see cref="IngestActor"/>, which the caller stops.</summary>
    public sealed record Open(ByteString Collector, IIngestClient Client, long Credit);
}
