namespace ActorProfiler.Aggregator.Aggregation;

/// <summary>Gives each distinct item the next index, starting at 0.</summary>
internal sealed class Interned<T>(IEqualityComparer<T> comparer)
    where T : notnull
{
    private readonly Dictionary<T, int> _indexes = new(comparer);
    private readonly List<T> _items = [];

    public IReadOnlyList<T> Items => _items;

    public int IndexOf(T item)
    {
        if (!_indexes.TryGetValue(item, out var index))
        {
            index = _items.Count;
            _indexes.Add(item, index);
            _items.Add(item);
        }

        return index;
    }
}

/// <summary>The same for sequences.</summary>
internal sealed class InternedSpans<T>
    where T : unmanaged, IEquatable<T>
{
    private readonly Dictionary<T[], int> _indexes = new(SpanComparer<T>.Instance);
    private readonly List<T[]> _items = [];

    public IReadOnlyList<T[]> Items => _items;

    public int IndexOf(ReadOnlySpan<T> item, out bool added)
    {
        added = !_indexes.GetAlternateLookup<ReadOnlySpan<T>>().TryGetValue(item, out var index);
        if (added)
        {
            index = _items.Count;
            var copy = item.ToArray();
            _indexes.Add(copy, index);
            _items.Add(copy);
        }

        return index;
    }
}
