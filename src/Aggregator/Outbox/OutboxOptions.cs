using ActorProfiler.Telemetry;

namespace ActorProfiler.Aggregator.Outbox;

/// <param name="Ledgers">One per destination; ticks enter when they are on disk.</param>
internal sealed record OutboxOptions(TimeProvider Clock, IReadOnlyDictionary<string, LossLedger> Ledgers, Health Health)
{
    /// <summary>Most bytes after which the outbox begins a file.</summary>
    public const long MostSegmentBytes = 16 << 20;

    /// <summary>Older profiles are dropped; a server takes nothing older than an hour.</summary>
    public TimeSpan MaxAge { get; init; } = TimeSpan.FromMinutes(55);

    /// <summary>Bytes on disk beyond which the oldest profiles are dropped.</summary>
    public long MaxBytes { get; init; } = 1L << 30;

    /// <summary>After how many the outbox begins a file: a file goes as a whole, so there must be many of them in <see cref="MaxBytes"/>.</summary>
    public static long SegmentBytes(long maxBytes) => Math.Clamp(maxBytes / 16, 1 << 16, MostSegmentBytes);

    /// <summary>How long stored batches are remembered when their collector never says that it settled them.</summary>
    public TimeSpan RememberFor { get; init; } = TimeSpan.FromHours(2);

    public TimeSpan SweepEvery { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Pause after a failed commit.</summary>
    public TimeSpan RetryAfter { get; init; } = TimeSpan.FromSeconds(1);
}
