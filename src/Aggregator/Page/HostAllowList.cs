using System.Collections.Frozen;
using System.Net;

namespace ActorProfiler.Aggregator.Page;

/// <summary>Which Host headers a request may have.</summary>
/// <remarks>
/// A page of another site can have its own name resolve to 127.0.0.1 and then read what this server answers (DNS rebinding).
/// Its requests still carry that name, so a name that is not ours is refused.
/// </remarks>
internal sealed class HostAllowList
{
    private readonly FrozenSet<string> _hosts;
    private readonly bool _anyAddress;

    /// <param name="listen">The listen addresses: <c>host:port</c>, <c>[v6]:port</c> or a bare host.</param>
    /// <remarks>Listening on all addresses allows every IP address as host, but still no foreign name.</remarks>
    public HostAllowList(IEnumerable<string> listen)
    {
        var hosts = listen.Select(HostOf).Where(host => host.Length > 0).ToArray();
        _anyAddress = Array.Exists(hosts, host => host is "0.0.0.0" or "::" or "*" or "+");
        _hosts = hosts.Concat(["localhost", "127.0.0.1", "::1"]).ToFrozenSet(StringComparer.OrdinalIgnoreCase);
    }

    /// <param name="host">The header's value; null or "" when there is none, which only HTTP/1.0 programs do.</param>
    public bool Allows(string? host)
    {
        var name = HostOf(host ?? "");
        return _hosts.Contains(name) || (_anyAddress && IPAddress.TryParse(name, out _));
    }

    /// <summary>The host of <c>host:port</c>, without the brackets of an IPv6 address.</summary>
    private static string HostOf(string text)
    {
        if (text.StartsWith('['))
        {
            var end = text.IndexOf(']', StringComparison.Ordinal);
            return end > 0 ? text[1..end] : "";
        }

        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var isBareV6 = colon >= 0 && text.LastIndexOf(':') != colon;
        return colon < 0 || isBareV6 ? text : text[..colon];
    }
}
