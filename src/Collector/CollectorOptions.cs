using ActorProfiler.Collector.Sampling;
using ActorProfiler.Telemetry;

namespace ActorProfiler.Collector;

/// <summary>Everything a collector is started with.</summary>
/// <param name="Sampling">What is sampled and how often.</param>
/// <param name="CollectInterval">How often samples are drained and sent.</param>
/// <param name="DataFolder">Where the collector's identity and its unsettled batches are kept.</param>
/// <param name="SendBufferBytes">Bound in memory of the batches that wait to be stored.</param>
/// <param name="SpoolBytes">Bound of them on disk.</param>
public sealed record CollectorOptions(
    SamplingOptions Sampling,
    TimeSpan CollectInterval,
    string DataFolder,
    long SendBufferBytes = 32 << 20,
    long SpoolBytes = 256 << 20)
{
    /// <summary>Where the collector says what is wrong with it.</summary>
    public Health Health { get; init; } = new();

    /// <summary>JIT runtimes that are not asked for the names of their code: <c>dotnet</c>, <c>jvm</c>.</summary>
    public IReadOnlyList<string> DisabledRuntimes { get; init; } = [];
}
