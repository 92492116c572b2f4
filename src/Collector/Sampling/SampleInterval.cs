namespace ActorProfiler.Collector.Sampling;

/// <summary>Everything sampled between two drains: what the sampling stage hands to the next.</summary>
/// <param name="Start">Wall clock at its start.</param>
/// <param name="PeriodNanos">Period of the clock that ran.</param>
/// <param name="Stacks">Distinct stacks with their ticks.</param>
/// <param name="Counts">Where the ticks of the interval went before they became stacks.</param>
/// <param name="State">How the session stood at its end.</param>
internal sealed record SampleInterval(
    DateTimeOffset Start,
    TimeSpan Duration,
    long PeriodNanos,
    IReadOnlyList<CountedStack> Stacks,
    IntervalCounts Counts,
    SessionState State);

/// <summary><c>Ticks = Recorded + Σ Dropped</c> over all intervals up to and including the last one of a session.</summary>
/// <param name="Ticks">Expiries of the sampling clocks in running tasks.</param>
/// <param name="Dropped">By reason, see <see cref="DropReasons"/>.</param>
/// <param name="Recorded">Ticks in the interval's stacks.</param>
internal sealed record IntervalCounts(long Ticks, IReadOnlyDictionary<string, long> Dropped, long Recorded)
{
    /// <summary>The counts of an interval.</summary>
    /// <param name="tally">What the BPF programs counted in it.</param>
    /// <param name="joined">Its stacks.</param>
    /// <param name="ringFull">Ticks whose stack never came.</param>
    /// <param name="tooManyStacks">Ticks of stacks that were refused.</param>
    public static IntervalCounts Of(in Tally tally, IReadOnlyList<CountedStack> joined, long ringFull, long tooManyStacks)
    {
        var dropped = new Dictionary<string, long>(StringComparer.Ordinal);
        for (var i = 0; i < DropReasons.KernelCount; i++)
        {
            Add(DropReasons.Kernel[i], (long)tally.Drops[i]);
        }

        Add(DropReasons.RingFull, ringFull);
        Add(DropReasons.TooManyStacks, tooManyStacks);
        return new IntervalCounts((long)tally.Ticks, dropped, joined.Sum(counted => counted.Ticks));

        void Add(string reason, long ticks)
        {
            if (ticks > 0)
            {
                dropped[reason] = dropped.GetValueOrDefault(reason) + ticks;
            }
        }
    }
}

/// <summary>What a session holds, and what has gone wrong in it since it started.</summary>
/// <param name="Clocks">Sampling clocks: one per online CPU.</param>
/// <param name="Processes">Running processes that have been sampled.</param>
/// <param name="UnwindTables">Executables with a compiled table.</param>
/// <param name="UnwindTableBytes">Memory of the tables.</param>
/// <param name="MissedProcesses">Gone before they could be read.</param>
/// <param name="EventsLost">Announcements that found their buffer full.</param>
/// <param name="UnreadInterpreters">Python interpreters, JVMs and JavaScript engines whose frames cannot be read, by reason; native frames remain.</param>
/// <param name="UnreadFiles">Mapped files that were not opened, by reason.</param>
/// <param name="RefusedTables">Executables that got no unwind table, by reason.</param>
internal sealed record SessionState(
    int Clocks,
    int Processes,
    int UnwindTables,
    long UnwindTableBytes,
    long MissedProcesses,
    long EventsLost,
    IReadOnlyDictionary<string, long> UnreadInterpreters,
    IReadOnlyDictionary<string, long> UnreadFiles,
    IReadOnlyDictionary<string, long> RefusedTables);
