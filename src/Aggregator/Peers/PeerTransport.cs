using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using ActorProfiler.Security;
using Akka.Actor;
using Akka.Configuration;
using Akka.Event;
using Akka.Remote.Transport;

namespace ActorProfiler.Aggregator.Peers;

/// <summary>
/// The connections between aggregators: TCP, or mutual TLS when the actor system was made with <see cref="PeerTls"/>. Certificates are read
/// anew for each connection. A peer that is refused, or refuses, costs that connection and nothing else.
/// </summary>
/// <remarks>Why not the transport that comes with Akka.Remote: docs/decisions/0008-peer-transport.md.</remarks>
#pragma warning disable CA1001 // Akka ends it by Shutdown
internal sealed class PeerTransport : Transport
#pragma warning restore CA1001
{
    /// <summary>Key of the settings, below <c>akka.remote</c>.</summary>
    public const string ConfigName = "peers";

    /// <summary>Connections of others that have not shown a certificate yet; more wait in the kernel's queue.</summary>
    private const int HandshakeLimit = 32;

    private readonly Address _self;
    private readonly TlsFiles? _tls;
    private readonly ILoggingAdapter _log;
    private readonly CancellationTokenSource _stopped = new();
    private readonly SemaphoreSlim _handshakes = new(HandshakeLimit);
    private readonly HashSet<PeerConnection> _connections = [];
    private TcpListener? _listener;

    /// <summary>The form in which Akka.Remote makes its transports.</summary>
    public PeerTransport(ActorSystem system, Config config)
    {
        (System, Config, SchemeIdentifier, MaximumPayloadBytes) = (system, config, "tcp", PeerConnection.FrameLimit);
        _self = new Address(SchemeIdentifier, system.Name, config.GetString("hostname"), config.GetInt("port"));
        _tls = system.Settings.Setup.Get<PeerTls>() is { HasValue: true } setup ? setup.Value.Files : null;
        _log = Logging.GetLogger(system, this);
    }

    /// <returns>Fails with <see cref="IOException"/> when the address cannot be listened on.</returns>
    public override Task<(Address, TaskCompletionSource<IAssociationEventListener>)> Listen()
    {
        try
        {
            return Task.FromResult(Open());
        }
        catch (SocketException cause)
        {
            // Not thrown: the actor system would wait for ever.
            return Task.FromException<(Address, TaskCompletionSource<IAssociationEventListener>)>(
                new IOException($"listen for other aggregators on {_self.Host}:{_self.Port}: {cause.Message}"));
        }
    }

    private (Address, TaskCompletionSource<IAssociationEventListener>) Open()
    {
        _listener = new TcpListener(EndPointOf(_self));
        if (_listener.Server.AddressFamily == AddressFamily.InterNetworkV6)
        {
            _listener.Server.DualMode = true;
        }

        _listener.Start();
        var bound = _self.WithPort(((IPEndPoint)_listener.LocalEndpoint).Port);
        var source = new TaskCompletionSource<IAssociationEventListener>(TaskCreationOptions.RunContinuationsAsynchronously);
        _ = AcceptAsync(_listener, bound, source.Task);
        return (bound, source);
    }

    public override bool IsResponsibleFor(Address remote) => true;

    /// <exception cref="InvalidAssociationException">Nobody answers there, or one of both refused the other.</exception>
    public override async Task<AssociationHandle> Associate(Address remoteAddress)
    {
        try
        {
            var stream = await PeerDial.OpenAsync(remoteAddress.Host, remoteAddress.Port!.Value, _tls, _stopped.Token).ConfigureAwait(false);
            return Keep(new PeerConnection(_self, remoteAddress, stream));
        }
        catch (IOException cause)
        {
            throw new InvalidAssociationException(cause.Message);
        }
    }

    public override async Task<bool> Shutdown()
    {
        await _stopped.CancelAsync().ConfigureAwait(false);
        _listener?.Dispose();
        PeerConnection[] open;
        lock (_connections)
        {
            open = [.. _connections];
        }

        foreach (var connection in open)
        {
            connection.Close();
        }

        return true;
    }

    // An address is listened on alone; a name may not resolve yet when the process starts.
    private static IPEndPoint EndPointOf(Address self) => new(
        IPAddress.TryParse(self.Host, out var address) ? address : self.Host == "localhost" ? IPAddress.Loopback : IPAddress.IPv6Any,
        self.Port ?? 0);

    private async Task AcceptAsync(TcpListener listener, Address self, Task<IAssociationEventListener> events)
    {
        try
        {
            var associations = await events.WaitAsync(_stopped.Token).ConfigureAwait(false);
            while (true)
            {
                await _handshakes.WaitAsync(_stopped.Token).ConfigureAwait(false);
                var socket = await listener.AcceptSocketAsync(_stopped.Token).ConfigureAwait(false);
                _ = WelcomeAsync(socket, self, associations);
            }
        }
        catch (Exception stopped) when (_stopped.IsCancellationRequested && PeerDial.IsOfNetwork(stopped))
        {
            _log.Debug("no more connections of aggregators are taken");
        }
    }

    private async Task WelcomeAsync(Socket socket, Address self, IAssociationEventListener associations)
    {
        using var late = CancellationTokenSource.CreateLinkedTokenSource(_stopped.Token);
        late.CancelAfter(PeerDial.Timeout);
        var from = socket.RemoteEndPoint as IPEndPoint;
        try
        {
            socket.NoDelay = true;
            var stream = await SecureAsync(socket, late.Token).ConfigureAwait(false);
            var remote = new Address(SchemeIdentifier, System.Name, from!.Address.ToString(), from.Port);
            associations.Notify(new InboundAssociation(Keep(new PeerConnection(self, remote, stream))));
        }
        catch (Exception cause) when (PeerDial.IsOfNetwork(cause))
        {
            socket.Dispose();
            var why = cause is OperationCanceledException ? $"no handshake within {PeerDial.Timeout.TotalSeconds} s" : cause.Message;
            _log.Warning("refused a connection from {0} to the aggregators' port: {1}", from?.Address, why);
        }
        finally
        {
            _handshakes.Release();
        }
    }

    private async Task<Stream> SecureAsync(Socket socket, CancellationToken cancellation)
    {
        var plain = new NetworkStream(socket, ownsSocket: true);
        if (_tls is null)
        {
            return plain;
        }

        var tls = new SslStream(plain);
        await tls.AuthenticateAsServerAsync(
            new SslServerAuthenticationOptions
            {
                ServerCertificate = _tls.Certificate,
                ClientCertificateRequired = true,

                // Only one that could be connected to, never a collector, may speak here.
                RemoteCertificateValidationCallback = (_, certificate, _, _) => _tls.IsOfFleet(certificate as X509Certificate2, KeyUses.Server),
            },
            cancellation).ConfigureAwait(false);
        return tls;
    }

    private PeerConnection Keep(PeerConnection connection)
    {
        lock (_connections)
        {
            _connections.Add(connection);
        }

        connection.Start(() =>
        {
            lock (_connections)
            {
                _connections.Remove(connection);
            }
        });
        return connection;
    }
}
