namespace ActorProfiler.Aggregator.Ingest;

/// <summary>What one collector may send, whatever it is connected to; 0 is without bound. Over a minute it may send in bursts.</summary>
internal sealed record QuotaOptions
{
    public long TicksPerSecond { get; init; } = 1_000_000;

    /// <summary>Of payload, compressed.</summary>
    public long BytesPerSecond { get; init; } = 16 << 20;

    public long StacksPerSecond { get; init; } = 200_000;

    /// <summary>Different series within ten minutes.</summary>
    public long Series { get; init; } = 10_000;
}
