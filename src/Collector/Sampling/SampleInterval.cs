namespace ActorProfiler.Collector.Sampling;

/// <summary>Everything sampled between two drains: what the sampling stage hands to the next.</summary>
/// <param name="Start">Wall clock at its start.</param>
/// <param name="PeriodNanos">Period of the clock that ran.</param>
/// <param name="Stacks">Distinct stacks with their ticks.</param>
/// <param name="Counts">Where the ticks of the interval went before they became stacks.</param>
internal sealed record SampleInterval(
    DateTimeOffset Start, TimeSpan Duration, long PeriodNanos, IReadOnlyList<CountedStack> Stacks, IntervalCounts Counts);

/// <summary><c>Ticks = Recorded + Σ Dropped</c> over all intervals up to and including the last one of a session.</summary>
/// <param name="Ticks">Expiries of the sampling clocks in running tasks.</param>
/// <param name="Dropped">By reason, see <see cref="DropReasons"/>.</param>
/// <param name="Endings">How the walks of user stacks ended, by <see cref="WalkEnding"/>.</param>
/// <param name="Recorded">Ticks in the interval's stacks.</param>
internal sealed record IntervalCounts(
    long Ticks, IReadOnlyDictionary<string, long> Dropped, IReadOnlyDictionary<WalkEnding, long> Endings, long Recorded, long EventsLost);
