using ActorProfiler.Collector.Sampling;

namespace ActorProfiler.Commands.Record;

/// <param name="Pids">Empty = every process.</param>
/// <param name="Pprof">Null = no pprof file.</param>
/// <param name="Html">Null = no flame graph.</param>
internal sealed record RecordOptions(
    TimeSpan Duration, IReadOnlyList<int> Pids, SamplingOptions Sampling, FileInfo? Pprof, FileInfo? Html);
