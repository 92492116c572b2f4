using ActorProfiler.Aggregator.Pprof;
using ActorProfiler.Labels;

namespace ActorProfiler.Aggregator.Destinations;

/// <summary>Somewhere finished profiles are written: a server, or a store of this process.</summary>
/// <remarks>
/// Each destination has its own queue, retries and concurrency; a slow one delays only itself. Calls run concurrently. A profile comes again
/// after a failure or a restart, so a write must be idempotent in <c>(Labels, TimeNanos)</c>.
/// </remarks>
internal interface IDestination
{
    /// <summary>Name in metrics, logs and the outbox; unique within an aggregator and the same after a restart.</summary>
    string Name { get; }

    /// <summary>Label <c>endpoint</c> of the <c>pyroscope_write_*</c> metrics, or "" for a destination that is not one.</summary>
    string Endpoint { get; }

    /// <summary>The labels under which a series is kept there, but for those that all series have; null when none of it is.</summary>
    LabelSet? SeriesOf(LabelSet series) => series;

    /// <summary>Tries once to write a profile. Failures of the world are outcomes, not exceptions.</summary>
    /// <exception cref="OperationCanceledException">It took longer than the caller waits.</exception>
    Task<WriteOutcome> WriteAsync(EncodedProfile profile, CancellationToken cancellation);
}
