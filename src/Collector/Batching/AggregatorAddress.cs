using System.IO.Hashing;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ActorProfiler.Collector.Batching;

/// <summary>Where an aggregator is.</summary>
/// <param name="Url">As configured: its name is the one that a certificate has to prove.</param>
/// <param name="Ip">One of the addresses of that name; null: the name could not be looked up, and is when it is connected to.</param>
internal sealed record AggregatorAddress(Uri Url, IPAddress? Ip)
{
    public override string ToString() => Ip is null || Url.HostNameType is UriHostNameType.IPv4 or UriHostNameType.IPv6 ? $"{Url}" : $"{Url} ({Ip})";

    /// <summary>Every address of every name.</summary>
    public static async Task<IReadOnlyList<AggregatorAddress>> ResolveAsync(IReadOnlyList<Uri> urls)
    {
        var found = await Task.WhenAll(urls.Select(ResolveAsync)).ConfigureAwait(false);
        return [.. found.SelectMany(addresses => addresses).Distinct()];
    }

    /// <summary>The addresses in the order a collector prefers them: a fleet spreads evenly, and goes back to that after a failure.</summary>
    public static IReadOnlyList<AggregatorAddress> InOrder(IEnumerable<AggregatorAddress> addresses, CollectorIdentity identity) =>
        [.. addresses.OrderBy(address => XxHash64.HashToUInt64([.. identity.Id.Span, .. Encoding.UTF8.GetBytes($"{address.Url} {address.Ip}")]))];

    private static async Task<IReadOnlyList<AggregatorAddress>> ResolveAsync(Uri url)
    {
        if (IPAddress.TryParse(url.IdnHost, out var address))
        {
            return [new AggregatorAddress(url, address)];
        }

        try
        {
            var addresses = await Dns.GetHostAddressesAsync(url.IdnHost).ConfigureAwait(false);
            return [.. addresses.Select(ip => new AggregatorAddress(url, ip))];
        }
        catch (SocketException)
        {
            // The connection fails with the same reason, which is then said.
            return [new AggregatorAddress(url, null)];
        }
    }
}
