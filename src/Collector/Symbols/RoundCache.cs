using System.Diagnostics.CodeAnalysis;

namespace ActorProfiler.Collector.Symbols;

/// <summary>A cache by recency in which everything used in the last rounds survives, however full it is.</summary>
/// <remarks>
/// A host with more running programs than the cache has places would otherwise read each of them anew in every round. Places are
/// taken back only by <see cref="EndRound"/>, so a value stays valid for the whole round it was looked up in. Not for several threads.
/// </remarks>
/// <param name="size">Entries kept however long they were not used; may be changed while in use.</param>
/// <param name="rounds">Rounds without use after which an entry needs a place to survive.</param>
/// <param name="evicted">Told about each value that is removed or replaced.</param>
internal sealed class RoundCache<TKey, TValue>(int size, int rounds, Action<TValue> evicted) where TKey : notnull
{
    private readonly Dictionary<TKey, LinkedListNode<Entry>> _entries = [];
    private readonly LinkedList<Entry> _byUse = new(); // last used first
    private long _round;

    public int Size { get; set; } = size;

    public int Rounds { get; set; } = rounds;

    public int Count => _entries.Count;

    public bool TryGet(TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        if (!_entries.TryGetValue(key, out var node))
        {
            value = default;
            return false;
        }

        if (_byUse.First != node)
        {
            _byUse.Remove(node);
            _byUse.AddFirst(node);
        }

        node.Value.LastRound = _round;
        value = node.Value.Value;
        return true;
    }

    /// <summary>Adds a value or replaces the one with its key.</summary>
    public void Set(TKey key, TValue value)
    {
        Remove(key);
        _entries.Add(key, _byUse.AddFirst(new Entry(key, value) { LastRound = _round }));
    }

    public void Remove(TKey key)
    {
        if (_entries.Remove(key, out var node))
        {
            _byUse.Remove(node);
            evicted(node.Value.Value);
        }
    }

    public void ForEach(Action<TValue> action)
    {
        foreach (var entry in _byUse)
        {
            action(entry.Value);
        }
    }

    public void Clear()
    {
        while (_byUse.Last is { } node)
        {
            Remove(node.Value.Key);
        }
    }

    /// <summary>Ends a round and removes what has neither a place nor was used lately, least recently used first.</summary>
    public void EndRound()
    {
        _round++;
        while (_entries.Count > Size && _byUse.Last is { } node && node.Value.LastRound + Rounds < _round)
        {
            Remove(node.Value.Key);
        }
    }

    private sealed class Entry(TKey key, TValue value)
    {
        public TKey Key { get; } = key;

        public TValue Value { get; } = value;

        public long LastRound { get; set; }
    }
}
