namespace ActorProfiler.Aggregator.Destinations;

/// <summary>How many writes may be under way: one more after each round of successes, half after a failure.</summary>
internal readonly record struct AdaptiveConcurrency(double Value, int Max)
{
    public static AdaptiveConcurrency Start(int max) => new(Math.Min(4, max), max);

    public int Limit => (int)Value;

    public AdaptiveConcurrency Succeeded() => this with { Value = Math.Min(Max, Value + (1 / Value)) };

    public AdaptiveConcurrency Failed() => this with { Value = Math.Max(1, Value / 2) };
}
