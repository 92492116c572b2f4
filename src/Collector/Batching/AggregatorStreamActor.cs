using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using ActorProfiler.Protocol;
using ActorProfiler.Security;
using Akka.Actor;
using Grpc.Core;
using Grpc.Net.Client;

namespace ActorProfiler.Collector.Batching;

/// <summary>
/// One gRPC stream to one aggregator. Opening until it said Welcome; then Open: submits go out in order and answers go to the sender.
/// Tells its parent <see cref="Opened"/>, and <see cref="Closed"/> once when it ends for whatever reason; the parent then stops it.
/// </summary>
internal sealed class AggregatorStreamActor : ReceiveActor, IWithTimers
{
    /// <summary>Of the connection and of the Welcome: two addresses can be tried within five seconds.</summary>
    private static readonly TimeSpan _openTimeout = TimeSpan.FromSeconds(2);

    // A connection whose other end is silent is noticed after the sum of both.
    private static readonly TimeSpan _pingDelay = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _pingTimeout = TimeSpan.FromSeconds(5);

    private readonly IActorRef _sender;
    private readonly Hello _hello;
    private readonly CancellationTokenSource _stopped = new();
    private readonly GrpcChannel _channel;
    private readonly AsyncDuplexStreamingCall<CollectorMessage, AggregatorMessage> _call;
    private readonly Queue<Submit> _outbound = new();
    private bool _isWriting;

    public AggregatorStreamActor(AggregatorAddress address, TlsFiles? tls, Hello hello, IActorRef sender)
    {
        (_hello, _sender) = (hello, sender);
        _channel = GrpcChannel.ForAddress(address.Url, new GrpcChannelOptions
        {
            DisposeHttpClient = true,
            MaxReceiveMessageSize = 1 << 20,
            HttpHandler = new SocketsHttpHandler
            {
                ConnectTimeout = _openTimeout,
                ConnectCallback = (context, cancellation) => ConnectAsync(address, context.DnsEndPoint.Port, cancellation),
                KeepAlivePingDelay = _pingDelay,
                KeepAlivePingTimeout = _pingTimeout,
                KeepAlivePingPolicy = HttpKeepAlivePingPolicy.Always,
                SslOptions = tls?.Client() ?? new SslClientAuthenticationOptions(),
            },
        });
        _call = new Ingest.IngestClient(_channel).Stream(cancellationToken: _stopped.Token);
        Opening();
    }

    /// <summary>The aggregator takes batches at the sender of this message.</summary>
    public sealed record Opened(Welcome Welcome);

    /// <param name="Status">What gRPC says of it.</param>
    public sealed record Closed(StatusCode Status, string Reason);

    private sealed record Received(AggregatorMessage Message);

    private sealed record Written;

    private sealed record TimedOut;

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(AggregatorAddress address, TlsFiles? tls, Hello hello, IActorRef sender) =>
        Akka.Actor.Props.Create(() => new AggregatorStreamActor(address, tls, hello, sender));

    protected override void PreStart()
    {
        Timers.StartSingleTimer(nameof(TimedOut), new TimedOut(), _openTimeout);
        Write(new CollectorMessage { Hello = _hello });
        Read();
    }

    protected override void PostStop()
    {
        _stopped.Cancel();
        _call.Dispose();
        _channel.Dispose();
        _stopped.Dispose();
    }

    private void Opening()
    {
        Receive<TimedOut>(_ => Close(new Closed(StatusCode.DeadlineExceeded, $"no answer within {_openTimeout.TotalSeconds} s")));
        Receive<Received>(received =>
        {
            if (received.Message.Welcome is not { } welcome)
            {
                Close(new Closed(StatusCode.Internal, "the first message was no Welcome"));
                return;
            }

            Timers.CancelAll();
            Become(Open);
            Context.Parent.Tell(new Opened(welcome));
            Read();
        });
        ReceiveCommon();
    }

    private void Open()
    {
        Receive<Submit>(submit =>
        {
            _outbound.Enqueue(submit);
            if (!_isWriting)
            {
                WriteNext();
            }
        });
        Receive<Received>(received =>
        {
            Forward(received.Message);
            Read();
        });
        ReceiveCommon();
    }

    private void Over()
    {
        Receive<Submit>(_ => { }); // the sender sends it again over the next stream
        Receive<Received>(_ => { });
        Receive<Written>(_ => { });
        Receive<Closed>(_ => { });
        Receive<TimedOut>(_ => { });
    }

    private void ReceiveCommon()
    {
        Receive<Closed>(Close);
        Receive<Written>(_ => WriteNext());
    }

    private void Close(Closed closed)
    {
        Become(Over);
        Context.Parent.Tell(closed);
    }

    private void Forward(AggregatorMessage message)
    {
        object? answer = message.MessageCase switch
        {
            AggregatorMessage.MessageOneofCase.Stored => message.Stored,
            AggregatorMessage.MessageOneofCase.Refused => message.Refused,
            AggregatorMessage.MessageOneofCase.Deferred => message.Deferred,
            _ => null,
        };
        if (answer is not null)
        {
            _sender.Tell(answer);
        }
    }

    private void WriteNext()
    {
        _isWriting = _outbound.TryDequeue(out var submit);
        if (_isWriting)
        {
            Write(new CollectorMessage { Submit = submit });
        }
    }

    private void Write(CollectorMessage message)
    {
        _isWriting = true;
        _call.RequestStream.WriteAsync(message).PipeTo(Self, success: () => new Written(), failure: cause => Ending(cause));
    }

    private void Read() => _call.ResponseStream.MoveNext(_stopped.Token).PipeTo(
        Self,
        success: isThere => isThere ? new Received(_call.ResponseStream.Current) : new Closed(StatusCode.OK, "the aggregator closed the stream"),
        failure: cause => Ending(cause));

    private static async ValueTask<Stream> ConnectAsync(AggregatorAddress address, int port, CancellationToken cancellation)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            EndPoint end = address.Ip is { } ip ? new IPEndPoint(ip, port) : new DnsEndPoint(address.Url.IdnHost, port);
            await socket.ConnectAsync(end, cancellation).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static Closed Ending(Exception cause) =>
        cause is RpcException rpc ? new Closed(rpc.StatusCode, rpc.Status.Detail) : new Closed(StatusCode.Unavailable, cause.Message);
}
