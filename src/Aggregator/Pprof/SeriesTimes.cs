using System.Collections.Concurrent;
using ActorProfiler.Labels;

namespace ActorProfiler.Aggregator.Pprof;

/// <summary>
/// Hands out profile times that are unique per series in milliseconds. A Pyroscope server keeps only one of two profiles with the
/// same labels and millisecond, silently.
/// </summary>
/// <remarks>
/// Thread-safe. Two aggregators that own the same series for a moment take different milliseconds: each only those that leave its own
/// remainder. Series whose hashes are equal share their times, which is harmless.
/// </remarks>
internal sealed class SeriesTimes
{
    private const long NanosPerMilli = 1_000_000;

    private readonly ConcurrentDictionary<ulong, long> _last = new();
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
        var taken = _last.AddOrUpdate(labels.Hash, _ => FirstAtOrAfter(start), (_, last) => FirstAtOrAfter(Math.Max(start, last + 1)));

        // The start itself where it is free: it is exact to the nanosecond.
        return taken == start ? startUnixNanos : taken * NanosPerMilli;
    }

    /// <summary>The last time taken, for storing; null when none is known.</summary>
    public long? LastMillis(ulong labelsHash) => _last.TryGetValue(labelsHash, out var last) ? last : null;

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
