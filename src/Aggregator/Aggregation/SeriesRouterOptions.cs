using System.Collections.Immutable;
using ActorProfiler.Telemetry;
using Akka.Actor;

namespace ActorProfiler.Aggregator.Aggregation;

/// <param name="Window">How long a window stays open after its first batch.</param>
/// <param name="Clock">For how long collectors have been silent.</param>
/// <param name="Ledger">Ticks enter with a batch's first arrival and are delivered when it is on disk.</param>
/// <param name="Stored">Batches on disk at the start.</param>
/// <param name="Self">This node in the ring, or null without a cluster.</param>
internal sealed record SeriesRouterOptions(
    TimeSpan Window, TimeProvider Clock, LossLedger Ledger, IReadOnlyCollection<BatchId> Stored, Address? Self)
{
    /// <summary>The other aggregators that are configured: each may hold batches before it is seen.</summary>
    public ImmutableHashSet<Address> Others { get; init; } = [];

    /// <summary>Memory of batches not yet on disk, by <see cref="SubmitCheck.Cost"/>; beyond it batches are left unanswered.</summary>
    public long OpenBytesLimit { get; init; } = 256 << 20;

    /// <summary>Series with an actor at the same time.</summary>
    public int SeriesLimit { get; init; } = 50_000;

    /// <summary>
    /// How long a batch that was sent before waits for the answers of aggregators that are down. Its collector gives it up then: it is counted as
    /// dropped there, and never taken at the risk of being counted twice.
    /// </summary>
    public TimeSpan DoubtFor { get; init; } = TimeSpan.FromMinutes(55);

    /// <summary>How long stored batches of a silent collector are remembered.</summary>
    public TimeSpan RememberFor { get; init; } = TimeSpan.FromHours(2);
}
