using ActorProfiler.Aggregator.Aggregation;
using ActorProfiler.Aggregator.Destinations;
using ActorProfiler.Aggregator.Ingest;
using ActorProfiler.Aggregator.Outbox;
using ActorProfiler.Aggregator.Pprof;
using Akka.Actor;
using Google.Protobuf;

namespace ActorProfiler.Aggregator;

/// <summary>
/// Root of the aggregator's actors, in the order of the line: <c>ingest</c> → <c>series</c> → <c>encoding</c> → <c>outbox</c> →
/// <c>fanout/…</c>.
/// </summary>
internal sealed class AggregatorActor : ReceiveActor
{
    public AggregatorActor(AggregatorParts parts)
    {
        var outbox = Context.ActorOf(OutboxActor.Props(parts.Outbox, parts.OutboxOptions, parts.Metrics), "outbox");
        var encoding = Context.ActorOf(EncodingActor.Props(outbox, new ProfileLimits(), parts.Times, parts.Metrics), "encoding");
        var series = Context.ActorOf(SeriesRouterActor.Props(parts.Series, encoding, parts.Metrics), SeriesRouterActor.Name);
        var gate = new IngestGateOptions(series, parts.Quota, parts.Owners, parts.KnownOwners, parts.Metrics, parts.Series.Clock) { AwaitsPeers = parts.AwaitsPeers };
        var ingest = Context.ActorOf(IngestGateActor.Props(gate), IngestGateActor.Name);
        var ring = parts.Series.Self is null ? ActorRefs.Nobody : Context.ActorOf(SeriesRingActor.Props([series, ingest], parts.Series.Clock), "ring");
        var fanout = Context.ActorOf(FanoutActor.Props(parts.Destinations(outbox)), "fanout");

        Receive<Find>(_ => Sender.Tell(new Found(ingest, series, ring, outbox, fanout)));
    }

    public static Props Props(AggregatorParts parts) => Akka.Actor.Props.Create(() => new AggregatorActor(parts));

    /// <summary>Answered with <see cref="Found"/>.</summary>
    public sealed record Find
    {
        public static readonly Find Instance = new();
    }

    /// <param name="Ring">Nobody without a cluster.</param>
    public sealed record Found(IActorRef Ingest, IActorRef Series, IActorRef Ring, IActorRef Outbox, IActorRef Fanout);
}

/// <param name="Destinations">Each destination and what its actor works with.</param>
internal sealed record AggregatorParts(
    ProfileOutbox Outbox,
    OutboxOptions OutboxOptions,
    SeriesRouterOptions Series,
    QuotaOptions Quota,
    CollectorOwners Owners,
    IReadOnlyDictionary<ByteString, string> KnownOwners,
    SeriesTimes Times,
    AggregatorMetrics Metrics,
    Func<IActorRef, IReadOnlyList<(IDestination Destination, DestinationContext Context)>> Destinations)
{
    /// <inheritdoc cref="IngestGateOptions.AwaitsPeers"/>
    public bool AwaitsPeers { get; init; }
}
