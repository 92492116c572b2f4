using ActorProfiler.Protocol;

namespace ActorProfiler.Aggregator.Ingest;

/// <summary>What one collector has used of its <see cref="QuotaOptions"/>. It outlives the collector's streams. Thread-safe.</summary>
internal sealed class CollectorQuota
{
    private static readonly TimeSpan _burst = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan _seriesMemory = TimeSpan.FromMinutes(10);

    private readonly Lock _lock = new();
    private readonly Dictionary<ulong, DateTimeOffset> _series = [];
    private readonly QuotaOptions _options;
    private readonly TimeProvider _clock;
    private readonly (string Reason, long PerSecond, Func<Submit, double> Amount)[] _rates;
    private readonly double[] _left;
    private DateTimeOffset _filledAt;

    public CollectorQuota(QuotaOptions options, TimeProvider clock)
    {
        (_options, _clock, _filledAt) = (options, clock, clock.GetUtcNow());
        _rates =
        [
            ("quota_ticks", options.TicksPerSecond, submit => submit.Ticks),
            ("quota_bytes", options.BytesPerSecond, submit => submit.Payload.Length),
            ("quota_stacks", options.StacksPerSecond, submit => submit.Stacks),
        ];
        _left = [.. _rates.Select(rate => rate.PerSecond * _burst.TotalSeconds)];
    }

    /// <summary>When it was used last.</summary>
    public DateTimeOffset UsedAt { get; private set; }

    /// <summary>Takes a batch's amounts, or says which bound is reached and when to try again.</summary>
    /// <param name="series">Hash of the batch's labels.</param>
    public (string Reason, TimeSpan RetryAfter)? Take(Submit submit, ulong series)
    {
        lock (_lock)
        {
            Fill();
            for (var i = 0; i < _rates.Length; i++)
            {
                // With something left a batch of any size is taken: a large one must not wait for ever.
                if (_rates[i].PerSecond > 0 && _left[i] <= 0)
                {
                    return (_rates[i].Reason, TimeSpan.FromSeconds(Math.Clamp(-_left[i] / _rates[i].PerSecond, 1, 60)));
                }
            }

            if (_options.Series > 0 && !_series.ContainsKey(series) && !HasRoomForSeries())
            {
                return ("quota_series", _burst);
            }

            _series[series] = UsedAt;
            for (var i = 0; i < _rates.Length; i++)
            {
                _left[i] -= _rates[i].Amount(submit);
            }

            return null;
        }
    }

    private void Fill()
    {
        var now = _clock.GetUtcNow();
        var seconds = Math.Max(0, (now - _filledAt).TotalSeconds);
        (_filledAt, UsedAt) = (now, now);
        for (var i = 0; i < _rates.Length; i++)
        {
            _left[i] = Math.Min(_rates[i].PerSecond * _burst.TotalSeconds, _left[i] + (_rates[i].PerSecond * seconds));
        }
    }

    private bool HasRoomForSeries()
    {
        if (_series.Count >= _options.Series)
        {
            foreach (var old in _series.Where(pair => pair.Value < UsedAt - _seriesMemory).Select(pair => pair.Key).ToList())
            {
                _series.Remove(old);
            }
        }

        return _series.Count < _options.Series;
    }
}
