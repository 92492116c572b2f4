using System.Collections.Immutable;
using ActorProfiler.Aggregator.Aggregation;
using ActorProfiler.Aggregator.Pprof;

namespace ActorProfiler.Aggregator.Outbox;

/// <summary>One change of the outbox. Each is on disk whole or not at all.</summary>
internal abstract record OutboxChange
{
    private OutboxChange()
    {
    }

    /// <summary>Stores the parts of a window for every destination, and that these batches are in them.</summary>
    public sealed record Append(ImmutableArray<EncodedProfile> Parts, ImmutableArray<BatchId> Batches) : OutboxChange;

    /// <summary>The destination has no further use of the profile: it has it, or it was dropped there.</summary>
    public sealed record Settle(string Destination, long Profile) : OutboxChange;

    /// <summary>Puts the parts in place of the profile, for this destination alone.</summary>
    public sealed record Replace(string Destination, long Profile, ImmutableArray<EncodedProfile> Parts) : OutboxChange;

    /// <summary>Forgets the batches stored before <paramref name="Before"/>, and times of series older than it.</summary>
    public sealed record Forget(DateTimeOffset Before) : OutboxChange;
}
