namespace ActorProfiler.Collector.Sampling;

/// <summary>Gives out ranges of a shard's words: first fit, neighbours joined when they come back.</summary>
internal sealed class WordAllocator(uint size)
{
    /// <summary>Ranges start on it, so that 64-bit values and mapping rows are aligned.</summary>
    public const uint Alignment = 8;

    private readonly SortedList<uint, uint> _free = new() { [0] = size };

    public long FreeWords => _free.Values.Sum(length => (long)length);

    /// <summary>Start of a free range of <paramref name="length"/> words, or null.</summary>
    public uint? Take(uint length)
    {
        var rounded = Round(length);
        for (var i = 0; i < _free.Count; i++)
        {
            var (start, available) = (_free.GetKeyAtIndex(i), _free.GetValueAtIndex(i));
            if (available < rounded)
            {
                continue;
            }

            _free.RemoveAt(i);
            if (available > rounded)
            {
                _free.Add(start + rounded, available - rounded);
            }

            return start;
        }

        return null;
    }

    /// <summary>Gives back what <see cref="Take"/> gave.</summary>
    public void Return(uint start, uint length)
    {
        var end = start + Round(length);
        if (_free.Remove(end, out var after))
        {
            end += after;
        }

        var before = LastBefore(start);
        if (before is { } index && _free.GetKeyAtIndex(index) + _free.GetValueAtIndex(index) == start)
        {
            start = _free.GetKeyAtIndex(index);
            _free.RemoveAt(index);
        }

        _free.Add(start, end - start);
    }

    private int? LastBefore(uint start)
    {
        var (low, high) = (0, _free.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = _free.GetKeyAtIndex(middle) < start ? (middle + 1, high) : (low, middle);
        }

        return low == 0 ? null : low - 1;
    }

    private static uint Round(uint length) => (Math.Max(length, 1) + Alignment - 1) & ~(Alignment - 1);
}
