using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using ActorProfiler.Security;

namespace ActorProfiler.Aggregator.Peers;

/// <summary>Opens connections to other aggregators.</summary>
internal static class PeerDial
{
    /// <summary>Of connecting and of the handshake.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    /// <param name="tls">Null: plaintext.</param>
    /// <returns>A connection that both ends have agreed to; the caller's.</returns>
    /// <exception cref="IOException">Nobody answers there, or one of both refused the other.</exception>
    public static async Task<Stream> OpenAsync(string host, int port, TlsFiles? tls, CancellationToken cancellation)
    {
        using var late = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        late.CancelAfter(Timeout);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(host, port, late.Token).ConfigureAwait(false);
            var plain = new NetworkStream(socket, ownsSocket: true);
            return tls is null ? plain : await SecureAsync(plain, host, tls, late.Token).ConfigureAwait(false);
        }
        catch (Exception cause) when (IsOfNetwork(cause))
        {
            socket.Dispose();
            var why = cause is OperationCanceledException ? $"no answer within {Timeout.TotalSeconds} s" : cause.Message;
            throw new IOException($"connect to {host}:{port}: {why}", cause);
        }
    }

    public static bool IsOfNetwork(Exception cause) => cause is SocketException or IOException or AuthenticationException or OperationCanceledException or ObjectDisposedException;

    private static async Task<Stream> SecureAsync(NetworkStream plain, string host, TlsFiles files, CancellationToken cancellation)
    {
        var tls = new SslStream(plain);
        var options = files.Client();
        options.TargetHost ??= host;
        await tls.AuthenticateAsClientAsync(options, cancellation).ConfigureAwait(false);
        return tls;
    }
}
