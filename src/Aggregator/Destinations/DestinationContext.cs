using ActorProfiler.Aggregator.Outbox;
using ActorProfiler.Aggregator.Pprof;
using ActorProfiler.Telemetry;
using Akka.Actor;

namespace ActorProfiler.Aggregator.Destinations;

/// <summary>What a destination's actor works with.</summary>
internal sealed record DestinationContext(
    DestinationOptions Options,
    IActorRef Outbox,
    ProfileOutbox Profiles,
    SeriesTimes Times,
    DeadLetters DeadLetters,
    LossLedger Ledger,
    DestinationStatus Status,
    Health Health,
    AggregatorMetrics Metrics,
    TimeProvider Clock);
