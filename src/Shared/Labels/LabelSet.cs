using System.Collections;
using System.Collections.Immutable;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;

namespace ActorProfiler.Labels;

/// <summary>One name and its value.</summary>
public readonly record struct LabelPair(string Name, string Value);

/// <summary>Immutable labels, the identity of a series: sorted by name (ordinal), names unique, no empty value.</summary>
/// <remarks>An empty value means the label is absent, as in Prometheus, so it is never stored.</remarks>
public sealed class LabelSet : IReadOnlyList<LabelPair>, IEquatable<LabelSet>
{
    public static readonly LabelSet Empty = new([]);

    private readonly ImmutableArray<LabelPair> _pairs;

    private LabelSet(ImmutableArray<LabelPair> sorted)
    {
        _pairs = sorted;
        Hash = ComputeHash(sorted);
    }

    /// <summary>64-bit hash of names and values: the same in every process and on every host.</summary>
    public ulong Hash { get; }

    public int Count => _pairs.Length;

    public LabelPair this[int index] => _pairs[index];

    /// <summary>The value of a label, or "" when it is absent.</summary>
    public string this[string name] => Find(name) is var index and >= 0 ? _pairs[index].Value : "";

    /// <summary>Builds a set. Of labels with the same name the last one wins; empty values are left out.</summary>
    public static LabelSet From(IEnumerable<LabelPair> pairs)
    {
        var byName = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in pairs)
        {
            byName[name] = value;
        }

        return new LabelSet([.. byName.Where(pair => pair.Value.Length > 0).Select(pair => new LabelPair(pair.Key, pair.Value))]);
    }

    public static LabelSet From(IEnumerable<KeyValuePair<string, string>> pairs) =>
        From(pairs.Select(pair => new LabelPair(pair.Key, pair.Value)));

    public static LabelSet Of(params (string Name, string Value)[] pairs) =>
        From(pairs.Select(pair => new LabelPair(pair.Name, pair.Value)));

    /// <summary>This set with one label set; an empty value removes it.</summary>
    public LabelSet With(string name, string value) => From(_pairs.Append(new LabelPair(name, value)));

    /// <summary>This set with all of <paramref name="others"/> set over it.</summary>
    public LabelSet With(LabelSet others) => others.Count == 0 ? this : From(_pairs.Concat(others._pairs));

    /// <summary>The labels whose name satisfies <paramref name="keep"/>.</summary>
    public LabelSet Where(Func<string, bool> keep) => new([.. _pairs.Where(pair => keep(pair.Name))]);

    public bool Contains(string name) => Find(name) >= 0;

    public bool Equals(LabelSet? other) =>
        other is not null && Hash == other.Hash && _pairs.AsSpan().SequenceEqual(other._pairs.AsSpan());

    public override bool Equals(object? obj) => Equals(obj as LabelSet);

    public override int GetHashCode() => Hash.GetHashCode();

    public IEnumerator<LabelPair> GetEnumerator() => ((IEnumerable<LabelPair>)_pairs).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary><c>{a="1", b="2"}</c>, values escaped as in Prometheus.</summary>
    public override string ToString()
    {
        var text = new StringBuilder("{");
        foreach (var (name, value) in _pairs)
        {
            text.Append(text.Length > 1 ? ", " : "").Append(name).Append("=\"");
            text.Append(value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal));
            text.Append('"');
        }

        return text.Append('}').ToString();
    }

    private int Find(string name)
    {
        var (low, high) = (0, _pairs.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            var order = string.CompareOrdinal(_pairs[middle].Name, name);
            if (order == 0)
            {
                return middle;
            }

            (low, high) = order < 0 ? (middle + 1, high) : (low, middle - 1);
        }

        return -1;
    }

    private static ulong ComputeHash(ImmutableArray<LabelPair> pairs)
    {
        var hash = new XxHash64();
        foreach (var (name, value) in pairs)
        {
            Append(hash, name);
            Append(hash, value);
        }

        return hash.GetCurrentHashAsUInt64();
    }

    private static void Append(XxHash64 hash, string text)
    {
        // The length first: without it ("ab", "c") and ("a", "bc") would be one.
        var length = text.Length;
        hash.Append(MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in length)));
        hash.Append(MemoryMarshal.AsBytes(text.AsSpan()));
    }
}
