using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Akka.Actor;

namespace ActorProfiler.Aggregator.Peers;

/// <summary>How an aggregator finds others that no list names.</summary>
/// <param name="Expected">How many aggregators there are to be. Without a majority of them no cluster is made.</param>
/// <param name="Sources">Where they are looked for at the start.</param>
internal sealed record PeerSearch(int Expected, PeerSources Sources)
{
    /// <summary>Between two looks.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Between two looks of a member.</summary>
    public TimeSpan MemberInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>For so long the same ones must have been found, so that those that start together see each other.</summary>
    public TimeSpan Stable { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>One that is found no more is waited for as long: a node that starts anew is gone from a name service for a while.</summary>
    public TimeSpan Memory { get; init; } = TimeSpan.FromMinutes(10);

    public Func<string, Task<IPAddress[]>> Resolve { get; init; } = Dns.GetHostAddressesAsync;

    public int Majority => (Expected / 2) + 1;
}

/// <summary>Where aggregators are looked for.</summary>
/// <param name="Names"><c>host:port</c>; each name stands for all its addresses.</param>
/// <param name="Found"><c>host:port</c> as a discovery found them, one aggregator each.</param>
internal sealed record PeerSources(ImmutableArray<string> Names, ImmutableArray<string> Found)
{
    public static readonly PeerSources None = new([], []);

    public bool Equals(PeerSources? other) => other is not null && Names.AsSpan().SequenceEqual(other.Names.AsSpan()) && Found.AsSpan().SequenceEqual(other.Found.AsSpan());

    public override int GetHashCode() => HashCode.Combine(Names.Length, Found.Length);

    /// <summary>Every address of every source, sorted, as <c>host:port</c>; and what could not be looked up, or "".</summary>
    /// <param name="self">This aggregator's: names stand for addresses of its kind only, so that one with both IPv4 and IPv6 counts once.</param>
    public async Task<(ImmutableSortedSet<string> Addresses, string Problem)> LookUpAsync(Address self, Func<string, Task<IPAddress[]>> resolve)
    {
        var family = IPAddress.TryParse(self.Host, out var own) ? own.AddressFamily : AddressFamily.InterNetwork;
        var addresses = ImmutableSortedSet.CreateBuilder<string>(StringComparer.Ordinal);
        addresses.UnionWith(Found);
        var problem = "";
        foreach (var name in Names)
        {
            var colon = name.LastIndexOf(':');
            try
            {
                foreach (var address in (await resolve(name[..colon].Trim('[', ']')).ConfigureAwait(false)).Where(address => address.AddressFamily == family))
                {
                    addresses.Add($"{(address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{address}]" : address)}{name[colon..]}");
                }
            }
            catch (SocketException cause)
            {
                problem = $"look up {name}: {cause.Message}";
            }
        }

        return (addresses.ToImmutable(), problem);
    }
}
