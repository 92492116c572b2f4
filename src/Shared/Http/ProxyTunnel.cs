using System.Collections.Immutable;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using ActorProfiler.Configuration.Evaluation;

namespace ActorProfiler.Http;

/// <summary>
/// Opens the connections of a <see cref="SocketsHttpHandler"/> whose requests by TLS go through a proxy, with headers of the user's in the
/// CONNECT: the handler itself has no place for them. Requests without TLS have no CONNECT; the handler sends them to the proxy as ever.
/// </summary>
/// <remarks>As its proxy it hides the tunnelled hosts from the handler, so that what it opens for them is a connection to the host. https://www.rfc-editor.org/rfc/rfc9110#CONNECT</remarks>
/// <param name="ssl">How a proxy with an https URL is spoken to; gives options anew for each connection.</param>
internal sealed class ProxyTunnel(
    IWebProxy proxy, ImmutableSortedDictionary<string, ImmutableArray<SecretValue>> headers, Func<SslClientAuthenticationOptions> ssl) : IWebProxy
{
    private const int AnswerLimit = 16 << 10;

    public ICredentials? Credentials
    {
        get => proxy.Credentials;
        set => proxy.Credentials = value;
    }

    public Uri? GetProxy(Uri destination) => proxy.GetProxy(destination);

    public bool IsBypassed(Uri host) => proxy.IsBypassed(host) || TunnelTo(host) is not null;

    /// <summary>For <see cref="SocketsHttpHandler.ConnectCallback"/>.</summary>
    /// <exception cref="HttpRequestException">The proxy refused the tunnel.</exception>
    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        var via = context.InitialRequestMessage.RequestUri is { } uri && !proxy.IsBypassed(uri) ? TunnelTo(uri) : null;
        if (via is null)
        {
            return await OpenAsync(context.DnsEndPoint, cancellation).ConfigureAwait(false);
        }

        Stream stream = await OpenAsync(new DnsEndPoint(via.DnsSafeHost, via.Port), cancellation).ConfigureAwait(false);
        try
        {
            if (via.Scheme == Uri.UriSchemeHttps)
            {
                stream = await EncryptAsync(stream, via.DnsSafeHost, cancellation).ConfigureAwait(false);
            }

            var host = context.DnsEndPoint.Host.Contains(':', StringComparison.Ordinal) ? $"[{context.DnsEndPoint.Host}]" : context.DnsEndPoint.Host;
            var authority = $"{host}:{context.DnsEndPoint.Port}";
            await stream.WriteAsync(Encoding.UTF8.GetBytes(Request(authority, via)), cancellation).ConfigureAwait(false);
            await ReadAnswerAsync(stream, authority, via, cancellation).ConfigureAwait(false);
            return new OpaqueStream(stream);
        }
        catch
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static async Task<NetworkStream> OpenAsync(DnsEndPoint endPoint, CancellationToken cancellation)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(endPoint, cancellation).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The proxy that a request goes to by CONNECT, or null.</summary>
    private Uri? TunnelTo(Uri host) =>
        host.Scheme == Uri.UriSchemeHttps && proxy.GetProxy(host) is { Scheme: "http" or "https" } via ? via : null;

    private async Task<Stream> EncryptAsync(Stream plain, string host, CancellationToken cancellation)
    {
        var options = ssl();
        options.TargetHost = host;
        var encrypted = new SslStream(plain);
        try
        {
            await encrypted.AuthenticateAsClientAsync(options, cancellation).ConfigureAwait(false);
            return encrypted;
        }
        catch
        {
            await encrypted.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private string Request(string authority, Uri via)
    {
        var login = proxy.Credentials?.GetCredential(via, "Basic");
        var text = new StringBuilder($"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n");
        foreach (var (name, values) in headers)
        {
            // The user and password of the proxy's URL come first, as in the original.
            if (login is not null && name.Equals("Proxy-Authorization", StringComparison.OrdinalIgnoreCase))
            {
                continue;
            }

            foreach (var value in values)
            {
                text.Append(name).Append(": ").Append(value.Reveal()).Append("\r\n");
            }
        }

        if (login is not null)
        {
            text.Append("Proxy-Authorization: Basic ").Append(Convert.ToBase64String(Encoding.UTF8.GetBytes($"{login.UserName}:{login.Password}"))).Append("\r\n");
        }

        return text.Append("\r\n").ToString();
    }

    /// <summary>Reads the head of the answer and no byte more: what follows belongs to the tunnel.</summary>
    private static async Task ReadAnswerAsync(Stream stream, string authority, Uri via, CancellationToken cancellation)
    {
        var answer = new List<byte>();
        var one = new byte[1];
        while (answer is not [.., (byte)'\r', (byte)'\n', (byte)'\r', (byte)'\n'])
        {
            if (answer.Count >= AnswerLimit || await stream.ReadAsync(one, cancellation).ConfigureAwait(false) == 0)
            {
                throw Refused($"its answer ended or was too long after {answer.Count} bytes", null);
            }

            answer.Add(one[0]);
        }

        var line = Encoding.Latin1.GetString([.. answer.TakeWhile(letter => letter != (byte)'\r')]);
        if (!line.StartsWith("HTTP/1.", StringComparison.Ordinal) || line.Split(' ', 3) is not [_, { Length: 3 } code, ..] || !int.TryParse(code, out var status))
        {
            throw Refused($"it answered \"{line}\", which is no HTTP", null);
        }

        if (status / 100 != 2)
        {
            throw Refused($"it answered \"{line}\"", (HttpStatusCode)status);
        }

        HttpRequestException Refused(string why, HttpStatusCode? status) =>
            new(HttpRequestError.ProxyTunnelError, $"CONNECT {authority} by the proxy {via.Host}:{via.Port}: {why}", null, status);
    }
}
