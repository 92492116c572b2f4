using ActorProfiler.Collector.Targets;
using ActorProfiler.Protocol;

namespace ActorProfiler.Collector.Batching;

/// <summary>The samples of one target over one interval, ready to be sent.</summary>
/// <param name="Ticks">Sum of the batch's ticks, for the ledger.</param>
internal sealed record TargetBatch(Target Target, SampleBatch Batch, long Ticks);
