namespace ActorProfiler.Aggregator.Outbox;

/// <summary>A profile in the outbox for which somebody waits.</summary>
/// <param name="Part">Which one of its record.</param>
internal sealed record OutboxItem(OutboxEntry Entry, LogPlace Place, int Part)
{
    /// <summary>The destinations that wait for it.</summary>
    public required HashSet<string> Waiting { get; init; }
}

/// <summary>Profiles of a part of the log that cannot be read: those with the numbers from <paramref name="From"/> to before <paramref name="To"/>.</summary>
internal sealed record LogGap(long From, long To, long Ticks)
{
    private readonly Dictionary<string, (long Profiles, long Ticks)> _settled = new(StringComparer.Ordinal);
    private readonly List<CountedLoss> _counted = [];

    /// <summary>Whether all of it was counted at an earlier start.</summary>
    public bool IsCounted => _counted.Sum(counted => counted.To - counted.From) >= To - From;

    public CountedLoss ToCounted() => new() { From = From, To = To, Ticks = Ticks };

    /// <summary>Takes note of what an earlier start has counted, if it lies in this gap.</summary>
    public void Count(CountedLoss counted)
    {
        if (From <= counted.From && counted.To <= To)
        {
            _counted.Add(counted);
        }
    }

    /// <summary>The destination has got the profile, which lies in this gap.</summary>
    public void Settle(string destination, long id, long ticks)
    {
        if (!_counted.Exists(counted => counted.From <= id && id < counted.To))
        {
            var (profiles, before) = _settled.GetValueOrDefault(destination);
            _settled[destination] = (profiles + 1, before + ticks);
        }
    }

    /// <summary>What the destination will never get.</summary>
    public (long Profiles, long Ticks) LostTo(string destination)
    {
        var (profiles, ticks) = _settled.GetValueOrDefault(destination);
        return (
            Math.Max(0, To - From - profiles - _counted.Sum(counted => counted.To - counted.From)),
            Math.Max(0, Ticks - ticks - _counted.Sum(counted => counted.Ticks)));
    }
}

/// <summary>What of an outbox was damaged when it was opened.</summary>
/// <param name="Lost">By destination: what waited for it and cannot be read, so that it never gets it.</param>
/// <param name="IsTailTorn">The last record, of which nothing was acknowledged, was cut off.</param>
internal sealed record OutboxDamage(IReadOnlyDictionary<string, (long Profiles, long Ticks)> Lost, bool IsTailTorn)
{
    /// <summary>Of the destination that lost most.</summary>
    public long LostProfiles => Lost.Values.Select(lost => lost.Profiles).DefaultIfEmpty().Max();
}
