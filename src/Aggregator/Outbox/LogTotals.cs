namespace ActorProfiler.Aggregator.Outbox;

/// <summary>How far the log had come at a place of it. The difference between two places says what lies between them, also when it cannot be read.</summary>
/// <param name="NextId">Number of the next profile; the first is 1.</param>
/// <param name="Ticks">Of all profiles so far.</param>
internal readonly record struct LogTotals(long NextId, long Ticks)
{
    public static readonly LogTotals Start = new(1, 0);
}
