using System.Collections.Concurrent;
using ActorProfiler.Labels;

namespace ActorProfiler.Aggregator.Pprof;

/// <summary>
/// Hands out profile times that are unique per series in milliseconds. A Pyroscope server keeps only one of two profiles with the
/// same labels and millisecond, silently.
/// </summary>
/// <remarks>
/// Thread-safe. Two aggregators that own the same series for a moment take different milliseconds: each only those that leave its own
/// remainder. Series whose hashes are equal share their times, which is harmless. Series that rules on the way to a destination make equal
/// there share theirs too, as long as <see cref="ShareBetween"/> says which.
/// </remarks>
internal sealed class SeriesTimes
{
    private const long NanosPerMilli = 1_000_000;

    private readonly Lock _taking = new();
    private readonly ConcurrentDictionary<ulong, long> _last = new();
    private volatile Func<LabelSet, IEnumerable<LabelSet>> _elsewhere = _ => [];
    private readonly long _remainder;
    private readonly long _divisor;

    /// <param name="remainder">Number of this aggregator, less than <paramref name="divisor"/>.</param>
    /// <param name="divisor">Number of aggregators; 1 without a cluster.</param>
    public SeriesTimes(int remainder = 0, int divisor = 1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(remainder, divisor);
        (_remainder, _divisor) = (remainder, divisor);
    }

    /// <summary>A time at or shortly after <paramref name="startUnixNanos"/> that this series never had.</summary>
    public long Take(LabelSet labels, long startUnixNanos)
    {
        var start = startUnixNanos / NanosPerMilli;
        var keys = KeysOf(labels);
        long taken;
        lock (_taking)
        {
            taken = FirstAtOrAfter(keys.Max(key => _last.TryGetValue(key, out var last) ? Math.Max(start, last + 1) : start));
            foreach (var key in keys)
            {
                _last[key] = taken;
            }
        }

        // The start itself where it is free: it is exact to the nanosecond.
        return taken == start ? startUnixNanos : taken * NanosPerMilli;
    }

    /// <param name="elsewhere">The labels a series has at each destination.</param>
    public void ShareBetween(Func<LabelSet, IEnumerable<LabelSet>> elsewhere) => _elsewhere = elsewhere;

    /// <summary>Hashes of the labels under which a series takes its times: its own, and those it has elsewhere.</summary>
    public IReadOnlySet<ulong> KeysOf(LabelSet labels) => new HashSet<ulong>([labels.Hash, .. _elsewhere(labels).Select(other => other.Hash)]);

    /// <summary>Takes up where an earlier start left off.</summary>
    public void Restore(ulong labelsHash, long lastMillis) => _last[labelsHash] = lastMillis;

    /// <summary>Forgets series whose last time is before <paramref name="cutoffMillis"/>: no batch that old comes any more.</summary>
    public void Prune(long cutoffMillis)
    {
        foreach (var pair in _last)
        {
            if (pair.Value < cutoffMillis)
            {
                _last.TryRemove(pair);
            }
        }
    }

    private long FirstAtOrAfter(long millis)
    {
        var missing = (_remainder - (millis % _divisor) + _divisor) % _divisor;
        return millis + missing;
    }
}
