using System.Collections.Immutable;
using ActorProfiler.Aggregator.Aggregation;
using Akka.Actor;

namespace ActorProfiler.Aggregator.Pprof;

/// <summary>The parts of one window and the batches in them: stored together or not at all.</summary>
internal sealed record ProfilesEncoded(ImmutableArray<EncodedProfile> Parts, ImmutableArray<BatchId> Batches);

/// <summary>Encodes closed windows, one at a time, on their way to the outbox.</summary>
internal sealed class EncodingActor : ReceiveActor
{
    public EncodingActor(IActorRef outbox, ProfileLimits limits, SeriesTimes times, AggregatorMetrics metrics)
    {
        Receive<WindowClosed>(closed =>
        {
            var parts = ProfileEncoder.Encode(closed.Labels, closed.Profile, limits, times);
            metrics.Profiles.Inc(parts.Count);
            outbox.Tell(new ProfilesEncoded([.. parts], closed.Batches), Sender);
        });
    }

    public static Props Props(IActorRef outbox, ProfileLimits limits, SeriesTimes times, AggregatorMetrics metrics) =>
        Akka.Actor.Props.Create(() => new EncodingActor(outbox, limits, times, metrics));

    // A window that cannot be encoded is a bug; its batches must not come back for ever.
    protected override void PreRestart(Exception reason, object message)
    {
        if (message is WindowClosed closed)
        {
            Sender.Tell(new BatchesLost(closed.Batches, "encoding_failed"));
        }

        base.PreRestart(reason, message);
    }
}
