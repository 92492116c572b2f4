using System.Buffers.Binary;
using System.Collections.Immutable;
using System.IO.Hashing;
using System.Text;
using Akka.Actor;

namespace ActorProfiler.Aggregator.Aggregation;

/// <summary>Which aggregator owns a series: rendezvous hashing over the members that are up and reachable.</summary>
/// <remarks>A member that goes moves only its own series, and every node with the same view names the same owner.</remarks>
internal sealed class SeriesRing
{
    public static readonly SeriesRing Empty = new([]);

    private readonly ImmutableArray<(Address Address, ulong Hash)> _members;

    private SeriesRing(ImmutableArray<(Address Address, ulong Hash)> members) => _members = members;

    public int Count => _members.Length;

    public bool Contains(Address address) => _members.Any(member => member.Address.Equals(address));

    public static SeriesRing Of(IEnumerable<Address> members) =>
        new([.. members.Select(address => (address, XxHash64.HashToUInt64(Encoding.UTF8.GetBytes(address.ToString()))))]);

    /// <summary>The owner of a series, or null when there is no member.</summary>
    /// <param name="series">Hash of its labels.</param>
    public Address? Owner(ulong series)
    {
        Address? owner = null;
        var best = 0ul;
        foreach (var (address, hash) in _members)
        {
            var weight = Weight(series, hash);
            if (owner is null || weight > best || (weight == best && Address.Comparer.Compare(address, owner) < 0))
            {
                (owner, best) = (address, weight);
            }
        }

        return owner;
    }

    private static ulong Weight(ulong series, ulong member)
    {
        Span<byte> key = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(key, series);
        BinaryPrimitives.WriteUInt64LittleEndian(key[8..], member);
        return XxHash64.HashToUInt64(key);
    }
}
