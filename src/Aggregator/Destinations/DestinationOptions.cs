namespace ActorProfiler.Aggregator.Destinations;

/// <summary>How a destination's actor tries. Defaults are those of <c>pyroscope.write</c> where it has them.</summary>
internal sealed record DestinationOptions
{
    /// <summary>Of one attempt.</summary>
    public TimeSpan RemoteTimeout { get; init; } = TimeSpan.FromSeconds(10);

    public TimeSpan MinBackoffPeriod { get; init; } = TimeSpan.FromMilliseconds(500);

    public TimeSpan MaxBackoffPeriod { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Attempts of one write, the first included; 0 is without end. After them the profile waits its turn again, until it is too old.</summary>
    public int MaxBackoffRetries { get; init; } = 10;

    public int MaxConcurrency { get; init; } = 64;

    /// <summary>Pause before the next probe of a destination with wrong credentials or URL.</summary>
    public TimeSpan ProbeAfter { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Longest pause a server can ask for.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromMinutes(5);
}
