using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace ActorProfiler.Tests.Destinations;

/// <summary>A proxy on a loopback port: opens tunnels for CONNECT and passes other requests on.</summary>
internal sealed class ConnectProxy : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentQueue<string> _requests = new();
    private readonly X509Certificate2? _certificate;
    private readonly string _refusal;
    private readonly Task _serving;

    /// <param name="certificate">With one, it is itself spoken to by TLS.</param>
    /// <param name="refusal">Status line of the answer to each request; "" to serve it.</param>
    public ConnectProxy(X509Certificate2? certificate = null, string refusal = "")
    {
        (_certificate, _refusal) = (certificate, refusal);
        _listener.Start();
        _serving = ServeAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>The heads of the requests it got.</summary>
    public IReadOnlyCollection<string> Requests => _requests;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _serving;
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true)
            {
                connections.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task ServeAsync(TcpClient accepted)
    {
        try
        {
            using var client = accepted;
            await using Stream near = _certificate is null ? client.GetStream() : new SslStream(client.GetStream());
            if (near is SslStream encrypted)
            {
                await encrypted.AuthenticateAsServerAsync(_certificate!, clientCertificateRequired: false, checkCertificateRevocation: false);
            }

            var head = await HeadAsync(near);
            _requests.Enqueue(head);
            if (_refusal.Length > 0)
            {
                await near.WriteAsync(Encoding.ASCII.GetBytes($"{_refusal}\r\nContent-Length: 0\r\n\r\n"), _stop.Token);
                return;
            }

            var isTunnel = head.StartsWith("CONNECT ", StringComparison.Ordinal);
            var target = new Uri(isTunnel ? $"http://{head.Split(' ')[1]}" : head.Split(' ')[1]);
            using var server = new TcpClient();
            await server.ConnectAsync(target.Host, target.Port, _stop.Token);
            await using var far = server.GetStream();
            await (isTunnel ? near : far).WriteAsync(Encoding.ASCII.GetBytes(isTunnel ? "HTTP/1.1 200 Connection established\r\n\r\n" : head), _stop.Token);
            await Task.WhenAny(near.CopyToAsync(far, _stop.Token), far.CopyToAsync(near, _stop.Token));
        }
        catch (Exception cause) when (cause is IOException or OperationCanceledException)
        {
            // One end has gone: so does the other.
        }
    }

    private async Task<string> HeadAsync(Stream stream)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal) && await stream.ReadAsync(one, _stop.Token) > 0)
        {
            head.Append((char)one[0]);
        }

        return head.ToString();
    }
}
