using ActorProfiler.Aggregator.Pprof;

namespace ActorProfiler.Aggregator.LocalStore;

/// <summary>A span of time in Unix nanoseconds; <paramref name="UntilNanos"/> is exclusive.</summary>
internal readonly record struct TimeRange(long FromNanos, long UntilNanos)
{
    public static readonly TimeRange All = new(long.MinValue, long.MaxValue);

    /// <summary>The last <paramref name="length"/> before the clock's now.</summary>
    public static TimeRange Last(TimeSpan length, TimeProvider clock) => Of(clock.GetUtcNow() - length, clock.GetUtcNow());

    public static TimeRange Of(DateTimeOffset from, DateTimeOffset until) => new(UnixNanos(from), UnixNanos(until));

    public static long UnixNanos(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick;

    /// <summary>Whether the window of a profile lies in this range, or partly so.</summary>
    public bool Overlaps(EncodedProfile profile) =>
        profile.TimeNanos < UntilNanos && profile.TimeNanos + Math.Max(1, profile.DurationNanos) > FromNanos;
}
