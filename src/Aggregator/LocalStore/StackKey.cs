using ActorProfiler.Pprof;

namespace ActorProfiler.Aggregator.LocalStore;

/// <summary>A stack and its labels, compared by content.</summary>
internal sealed class StackKey(ulong[] locations, Label[] labels) : IEquatable<StackKey>
{
    private readonly int _hash = HashOf(locations, labels);

    public ulong[] Locations { get; } = locations;

    public Label[] Labels { get; } = labels;

    public bool Equals(StackKey? other) =>
        other is not null && _hash == other._hash && Locations.AsSpan().SequenceEqual(other.Locations) && Labels.AsSpan().SequenceEqual(other.Labels);

    public override bool Equals(object? obj) => Equals(obj as StackKey);

    public override int GetHashCode() => _hash;

    private static int HashOf(ulong[] locations, Label[] labels)
    {
        var hash = new HashCode();
        hash.AddBytes(System.Runtime.InteropServices.MemoryMarshal.AsBytes<ulong>(locations));
        foreach (var label in labels)
        {
            hash.Add(label);
        }

        return hash.ToHashCode();
    }
}
