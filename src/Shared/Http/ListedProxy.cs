using System.Net;

namespace ActorProfiler.Http;

/// <summary>A proxy for all but the hosts of a list.</summary>
/// <remarks>
/// Entries are <c>*</c>, a host, a domain (with or without a leading dot, hosts in it included), an address or a network such as
/// <c>10.0.0.0/8</c>, each perhaps with a port. https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config
/// </remarks>
internal sealed class ListedProxy : IWebProxy
{
    private readonly Uri _proxy;
    private readonly string[] _direct;

    public ListedProxy(Uri proxy, string direct)
    {
        _proxy = proxy;
        _direct = direct.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (proxy.UserInfo.Split(':', 2) is [var user, var password])
        {
            Credentials = new NetworkCredential(Uri.UnescapeDataString(user), Uri.UnescapeDataString(password));
        }
    }

    public ICredentials? Credentials { get; set; }

    public Uri GetProxy(Uri destination) => _proxy;

    public bool IsBypassed(Uri host) => Array.Exists(_direct, entry => Covers(entry, host));

    private static bool Covers(string entry, Uri host)
    {
        if (entry == "*")
        {
            return true;
        }

        if (IPNetwork.TryParse(entry, out var network))
        {
            return IPAddress.TryParse(host.DnsSafeHost, out var address) && network.Contains(address);
        }

        var colon = entry.LastIndexOf(':');
        var hasPort = colon > 0 && entry.IndexOf(':') == colon && ushort.TryParse(entry.AsSpan(colon + 1), out _);
        if (hasPort && entry[(colon + 1)..] != $"{host.Port}")
        {
            return false;
        }

        var name = (hasPort ? entry[..colon] : entry).TrimStart('*').TrimStart('.');
        return host.DnsSafeHost.Equals(name, StringComparison.OrdinalIgnoreCase) || host.DnsSafeHost.EndsWith("." + name, StringComparison.OrdinalIgnoreCase);
    }
}
