using ActorProfiler.Protocol;
using ActorProfiler.Security;
using Akka.Actor;
using Akka.Event;
using Google.Protobuf;
using Grpc.Core;

namespace ActorProfiler.Collector.Batching;

/// <summary>
/// Keeps the collector linked to one aggregator. Resolving: names are looked up for the first time. Seeking: the addresses are tried in this collector's order until one opens a stream.
/// Linked: batches go over it; from time to time the first address of the order is tried, and taken when it is back. When the stream ends, Seeking again.
/// </summary>
/// <remarks>Names are looked up anew from time to time, and the list may change. A link to an address that is in it no more stays until it ends.</remarks>
internal sealed class AggregatorLinkActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan _shortestPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan _longestPause = TimeSpan.FromSeconds(5);

    /// <summary>How long another collector of the same identity may be held for the ghost of this one: longer than its stream can live unnoticed.</summary>
    private static readonly TimeSpan _ghostPatience = TimeSpan.FromSeconds(15);

    private readonly LinkOptions _options;
    private readonly IActorRef _sender;
    private readonly ulong _instance = (ulong)Random.Shared.NextInt64();
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private CollectorIdentity _identity;
    private IReadOnlyList<Uri> _urls;
    private IReadOnlyList<AggregatorAddress> _addresses = [];
    private IActorRef _stream = ActorRefs.Nobody;
    private IActorRef _candidate = ActorRefs.Nobody;
    private int _next;
    private int _failures;
    private DateTimeOffset? _clonedSince;

    public AggregatorLinkActor(LinkOptions options, IActorRef sender)
    {
        (_options, _sender, _identity) = (options, sender, options.Identity);
        _urls = options.Addresses;
        Receive<Resolved>(resolved =>
        {
            Follow(resolved);
            Become(Seeking);
            Self.Tell(new Connect());
        });
        ReceiveAddresses();
    }

    /// <summary>From now on these are the aggregators.</summary>
    public sealed record SetAddresses(IReadOnlyList<Uri> Addresses);

    private sealed record Resolve;

    private sealed record Resolved(IReadOnlyList<AggregatorAddress> Addresses);

    private sealed record Connect;

    private sealed record TryPreferred;

    public ITimerScheduler Timers { get; set; } = null!;

    private AggregatorAddress Address => _addresses[_next % _addresses.Count];

    public static Props Props(LinkOptions options, IActorRef sender) => Akka.Actor.Props.Create(() => new AggregatorLinkActor(options, sender));

    protected override void PreStart()
    {
        Timers.StartPeriodicTimer(nameof(Resolve), new Resolve(), _options.ResolveEvery);
        LookUp();
    }

    private void LookUp() => AggregatorAddress.ResolveAsync(_urls).PipeTo(Self, success: addresses => new Resolved(addresses));

    private void ReceiveAddresses()
    {
        Receive<Resolve>(_ => LookUp());
        Receive<SetAddresses>(set =>
        {
            _urls = set.Addresses;
            LookUp();
        });
    }

    private void Follow(Resolved resolved)
    {
        var current = _addresses.Count > 0 ? Address : null;
        if (resolved.Addresses.Count == 0 && _addresses.Count == 0)
        {
            _log.Warning("no aggregator is known yet; batches are kept");
        }

        _addresses = AggregatorAddress.InOrder(resolved.Addresses, _identity);
        _next = Math.Max(0, _addresses.ToList().FindIndex(address => address == current));
    }

    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(cause =>
    {
        Self.Tell(new AggregatorStreamActor.Closed(StatusCode.Internal, cause.Message), Sender);
        return Directive.Stop;
    });

    private void Seeking()
    {
        Receive<Connect>(_ => _addresses.Count > 0, _ => _stream = Open(Address));
        Receive<Resolved>(resolved =>
        {
            var wasEmpty = _addresses.Count == 0;
            Follow(resolved);
            if (wasEmpty)
            {
                Self.Tell(new Connect());
            }
        });
        Receive<AggregatorStreamActor.Opened>(_ => Sender.Equals(_stream), opened => Link(opened.Welcome));
        Receive<AggregatorStreamActor.Closed>(_ => Sender.Equals(_stream), Seek);
        ReceiveStale();
    }

    private void Linked()
    {
        Receive<AggregatorStreamActor.Closed>(_ => Sender.Equals(_stream), closed =>
        {
            GiveUpCandidate();
            _sender.Tell(new BatchSenderActor.Disconnected());
            Seek(closed);
        });
        Receive<TryPreferred>(_ => _addresses.Count > 0, _ => _candidate = Open(_addresses[0]));
        Receive<Resolved>(resolved =>
        {
            Follow(resolved);
            PlanReturn();
        });
        Receive<AggregatorStreamActor.Opened>(_ => Sender.Equals(_candidate), opened =>
        {
            Context.Stop(_stream);
            (_stream, _candidate, _next) = (_candidate, ActorRefs.Nobody, 0);
            Link(opened.Welcome);
        });
        Receive<AggregatorStreamActor.Closed>(_ => Sender.Equals(_candidate), _ =>
        {
            GiveUpCandidate();
            PlanReturn();
        });
        ReceiveStale();
    }

    private void ReceiveStale()
    {
        Receive<AggregatorStreamActor.Opened>(_ => Context.Stop(Sender));
        Receive<AggregatorStreamActor.Closed>(_ => Context.Stop(Sender));
        Receive<Connect>(_ => { });
        Receive<TryPreferred>(_ => { });
        ReceiveAddresses();
    }

    private IActorRef Open(AggregatorAddress address) => Context.ActorOf(AggregatorStreamActor.Props(
        address,
        _options.Tls,
        new Hello
        {
            CollectorId = ByteString.CopyFrom(_identity.Id.Span),
            Epoch = _identity.Epoch,
            Instance = _instance,
            Host = Environment.MachineName,
            Version = typeof(AggregatorLinkActor).Assembly.GetName().Version?.ToString() ?? "",
        },
        _sender));

    private void Link(Welcome welcome)
    {
        (_failures, _clonedSince) = (0, null);
        _log.Info("connected to aggregator {0} at {1}", welcome.Node, _addresses.Count > 0 ? $"{Address}" : "an earlier address");
        Become(Linked);
        _sender.Tell(new BatchSenderActor.Connected(_stream, welcome.CreditBytes));
        PlanReturn();
    }

    private void PlanReturn()
    {
        if (_addresses.Count > 0 && _next % _addresses.Count != 0 && !Timers.IsTimerActive(nameof(TryPreferred)))
        {
            Timers.StartSingleTimer(nameof(TryPreferred), new TryPreferred(), _options.ReturnAfter * (0.5 + Random.Shared.NextDouble()));
        }
    }

    private void Seek(AggregatorStreamActor.Closed closed)
    {
        // One line per change of state, not per try.
        if (_failures++ == 0)
        {
            _log.Warning("no aggregator: {0}: {1}; batches are kept and the next address is tried", Address, closed.Reason);
        }

        Context.Stop(_stream);
        _stream = ActorRefs.Nobody;
        NoticeClone(closed);
        _next++;
        Become(Seeking);
        var pause = _failures <= _addresses.Count ? TimeSpan.Zero : _longestPause;
        pause = TimeSpan.FromTicks(Math.Min(pause.Ticks, _shortestPause.Ticks << Math.Min(_failures - 1, 10)));
        Timers.StartSingleTimer(nameof(Connect), new Connect(), pause * (0.5 + Random.Shared.NextDouble() / 2));
    }

    private void NoticeClone(AggregatorStreamActor.Closed closed)
    {
        if (closed.Status != StatusCode.AlreadyExists)
        {
            return;
        }

        var now = _options.Clock.GetUtcNow();
        _clonedSince ??= now;
        if (now - _clonedSince < _ghostPatience)
        {
            return;
        }

        _identity = _options.Renew();
        _log.Warning("another collector has the same identity ({0}): this data folder was copied; this collector is {1} from now on",
            closed.Reason, Convert.ToHexStringLower(_identity.Id.Span));
        (_addresses, _next, _clonedSince) = (AggregatorAddress.InOrder(_addresses, _identity), -1, null);
        _sender.Tell(new BatchSenderActor.Rename(_identity));
    }

    private void GiveUpCandidate()
    {
        Context.Stop(_candidate);
        _candidate = ActorRefs.Nobody;
    }
}

/// <param name="Renew">Makes and keeps a new identity.</param>
internal sealed record LinkOptions(IReadOnlyList<Uri> Addresses, CollectorIdentity Identity, Func<CollectorIdentity> Renew, TimeProvider Clock)
{
    /// <summary>Null: plaintext.</summary>
    public TlsFiles? Tls { get; init; }

    /// <summary>How often names are looked up.</summary>
    public TimeSpan ResolveEvery { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long after a failure the preferred aggregator is tried again, times 0.5 to 1.5.</summary>
    public TimeSpan ReturnAfter { get; init; } = TimeSpan.FromSeconds(60);
}
