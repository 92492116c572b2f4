using ActorProfiler.Protocol;
using Akka.Actor;
using Akka.Event;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace ActorProfiler.Collector.Batching;

/// <summary>
/// Holds one gRPC stream to an aggregator and fails over to the next when it ends.
/// Connecting until the aggregator has said Welcome; Connected until the stream ends; Waiting a moment before the next try.
/// </summary>
/// <param name="_addresses">Tried in turn, from a random one on, so that a fleet spreads.</param>
internal sealed class AggregatorLinkActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan _connectTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _shortestPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan _longestPause = TimeSpan.FromSeconds(5);

    private readonly IReadOnlyList<Uri> _addresses;
    private readonly IActorRef _sender;
    private readonly Hello _hello;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private CancellationTokenSource _stopped = new();
    private GrpcChannel? _channel;
    private AsyncDuplexStreamingCall<CollectorMessage, AggregatorMessage>? _call;
    private readonly Queue<Submit> _outbound = new();
    private bool _isWriting;
    private int _next;
    private int _failures;

    public AggregatorLinkActor(IReadOnlyList<Uri> addresses, CollectorIdentity identity, IActorRef sender)
    {
        (_addresses, _sender, _next) = (addresses, sender, Random.Shared.Next(addresses.Count));
        _hello = new Hello
        {
            CollectorId = ByteString.CopyFrom(identity.Id.Span),
            Epoch = identity.Epoch,
            Host = Environment.MachineName,
            Version = typeof(AggregatorLinkActor).Assembly.GetName().Version?.ToString() ?? "",
        };
        Connecting();
    }

    private sealed record Connect;

    private sealed record Received(object Call, AggregatorMessage Message);

    private sealed record Written(object Call);

    private sealed record Ended(object Call, string Reason);

    private sealed record TimedOut;

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(IReadOnlyList<Uri> addresses, CollectorIdentity identity, IActorRef sender) =>
        Akka.Actor.Props.Create(() => new AggregatorLinkActor(addresses, identity, sender));

    protected override void PreStart() => Self.Tell(new Connect());

    protected override void PostStop() => Close();

    private void Connecting()
    {
        Receive<Connect>(_ => Open());
        Receive<TimedOut>(_ => Retry($"no answer within {_connectTimeout.TotalSeconds} s"));
        Receive<Received>(IsCurrent, received => Welcome(received.Message));
        ReceiveCommon();
    }

    private void Linked()
    {
        Receive<Submit>(Write);
        Receive<Received>(IsCurrent, received =>
        {
            Forward(received.Message);
            Read();
        });
        ReceiveCommon();
    }

    private void ReceiveCommon()
    {
        Receive<Ended>(ended => ReferenceEquals(ended.Call, _call), ended => Retry(ended.Reason));
        Receive<Written>(written => ReferenceEquals(written.Call, _call), _ => WriteNext());
        Receive<Received>(_ => { }); // of a stream given up
        Receive<Written>(_ => { });
        Receive<Ended>(_ => { });
        Receive<TimedOut>(_ => { });
        Receive<Submit>(_ => { }); // the sender sends it again over the next stream
    }

    private bool IsCurrent(Received received) => ReferenceEquals(received.Call, _call);

    private Uri Address => _addresses[_next % _addresses.Count];

    private void Open()
    {
        _channel = GrpcChannel.ForAddress(Address, new GrpcChannelOptions
        {
            DisposeHttpClient = true,
            MaxReceiveMessageSize = 1 << 20,
            HttpHandler = new SocketsHttpHandler
            {
                ConnectTimeout = _connectTimeout,
                KeepAlivePingDelay = TimeSpan.FromSeconds(5),
                KeepAlivePingTimeout = TimeSpan.FromSeconds(5),
                KeepAlivePingPolicy = HttpKeepAlivePingPolicy.Always,
            },
        });
        _call = new Ingest.IngestClient(_channel).Stream(cancellationToken: _stopped.Token);
        _outbound.Clear();
        _isWriting = false;
        Timers.StartSingleTimer(nameof(TimedOut), new TimedOut(), _connectTimeout);
        Write(new CollectorMessage { Hello = _hello });
        Read();
    }

    private void Welcome(AggregatorMessage message)
    {
        if (message.Welcome is not { } welcome)
        {
            Retry("the first message was no Welcome");
            return;
        }

        Timers.Cancel(nameof(TimedOut));
        _failures = 0;
        _log.Info("connected to aggregator {0} at {1}", welcome.Node, Address);
        Become(Linked);
        _sender.Tell(new BatchSenderActor.Connected(Self, welcome.CreditBytes));
        Read();
    }

    private void Forward(AggregatorMessage message)
    {
        object? answer = message.MessageCase switch
        {
            AggregatorMessage.MessageOneofCase.Stored => message.Stored,
            AggregatorMessage.MessageOneofCase.Refused => message.Refused,
            _ => null,
        };
        if (answer is not null)
        {
            _sender.Tell(answer);
        }
    }

    private void Write(Submit submit)
    {
        _outbound.Enqueue(submit);
        if (!_isWriting)
        {
            WriteNext();
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
        var call = _call!;
        _isWriting = true;
        call.RequestStream.WriteAsync(message).PipeTo(
            Self, success: () => new Written(call), failure: cause => new Ended(call, Reason(cause)));
    }

    private void Read()
    {
        var call = _call!;
        call.ResponseStream.MoveNext(_stopped.Token).PipeTo(
            Self,
            success: isThere => isThere ? new Received(call, call.ResponseStream.Current) : new Ended(call, "the aggregator closed the stream"),
            failure: cause => new Ended(call, Reason(cause)));
    }

    private void Retry(string reason)
    {
        // One line per change of state, not per try.
        if (_failures++ == 0)
        {
            _log.Warning("no aggregator: {0}: {1}; batches are kept and the next address is tried", Address, reason);
        }

        Close();
        _next++;
        Become(Connecting);
        _sender.Tell(new BatchSenderActor.Disconnected());
        var pause = TimeSpan.FromTicks(Math.Min(_longestPause.Ticks, _shortestPause.Ticks << Math.Min(_failures - 1, 10)));
        Timers.StartSingleTimer(nameof(Connect), new Connect(), pause * (0.5 + Random.Shared.NextDouble() / 2));
    }

    private void Close()
    {
        _stopped.Cancel();
        _call?.Dispose();
        _channel?.Dispose();
        _stopped.Dispose();
        (_stopped, _call, _channel) = (new CancellationTokenSource(), null, null);
    }

    private static string Reason(Exception cause) =>
        cause is RpcException rpc ? $"{rpc.StatusCode}: {rpc.Status.Detail}" : cause.Message;
}
