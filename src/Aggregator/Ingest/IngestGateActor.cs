using ActorProfiler.Aggregator.Aggregation;
using ActorProfiler.Protocol;
using Akka.Actor;
using Akka.Event;
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
    private readonly Dictionary<IActorRef, Hello> _streams = [];

    public IngestGateActor(IActorRef series, AggregatorMetrics metrics)
    {
        _series = series;
        _metrics = metrics;
        Receive<Open>(Admit);
        Receive<Submit>(submit => submit.CollectorId.Length == BatchId.CollectorBytes, submit => LocalFor(Sender, submit).Forward(submit));
        Receive<Terminated>(gone =>
        {
            if (!_streams.Remove(gone.ActorRef))
            {
                Close(gone.ActorRef);
            }
        });
    }

    public static Props Props(IActorRef series, AggregatorMetrics metrics) => Akka.Actor.Props.Create(() => new IngestGateActor(series, metrics));

    // A collector prefers one aggregator by its identity, so copies of it meet here.
    private void Admit(Open open)
    {
        var hello = open.Hello;
        if (_streams.Values.FirstOrDefault(other => other.CollectorId == hello.CollectorId && other.Instance != hello.Instance) is { } other)
        {
            _metrics.Clones.Inc();
            Context.GetLogger().Warning(
                "refused the stream of {Host}: {Other} is connected under the same identity {Id}", hello.Host, other.Host, Convert.ToHexStringLower(hello.CollectorId.Span));
            Sender.Tell(new Refusal($"{other.Host} is connected under the same identity"));
            return;
        }

        var ingest = Context.ActorOf(IngestActor.Props(hello.CollectorId, open.Client, _series, open.Credit, _metrics));
        Context.Watch(ingest);
        _streams.Add(ingest, hello);
        Sender.Tell(new Admitted(ingest));
    }

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

    /// <summary>Opens a stream. Answered with <see cref="Admitted"/>, or with <see cref="Refusal"/> while another process has a stream under this identity.</summary>
    public sealed record Open(Hello Hello, IIngestClient Client, long Credit);

    /// <param name="Ingest">The stream's <see cref="IngestActor"/>, which the caller stops.</param>
    public sealed record Admitted(IActorRef Ingest);

    public sealed record Refusal(string Reason);
}
