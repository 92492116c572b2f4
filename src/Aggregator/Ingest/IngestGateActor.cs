using ActorProfiler.Aggregator.Aggregation;
using ActorProfiler.Protocol;
using Akka.Actor;
using Akka.Event;
using Google.Protobuf;
using Grpc.Core;

namespace ActorProfiler.Aggregator.Ingest;

/// <summary>
/// Opens an <see cref="IngestActor"/> per stream, to one process per identity, here and at the other aggregators. A collector in this process
/// just tells its <see cref="Submit"/>s here.
/// </summary>
internal sealed class IngestGateActor : ReceiveActor
{
    public const string Name = "ingest";

    private readonly IngestGateOptions _options;
    private readonly CollectorRegister _register;
    private readonly Dictionary<(IActorRef, ByteString), IActorRef> _local = [];
    private readonly Dictionary<IActorRef, Open> _streams = [];
    private IReadOnlyList<Address> _others = [];
    private bool _awaitsPeers;
    private List<(ByteString Collector, string Owner)> _unsaved = [];
    private bool _saving;

    public IngestGateActor(IngestGateOptions options)
    {
        (_options, _register, _awaitsPeers) = (options, new CollectorRegister(options.Quota, options.Known, options.Clock), options.AwaitsPeers);
        Receive<Open>(Admit);
        Receive<Submit>(submit => submit.CollectorId.Length == BatchId.CollectorBytes, submit => LocalFor(Sender, submit).Forward(submit));
        Receive<Aggregators>(aggregators =>
        {
            _others = [.. aggregators.Others.Where(other => other.Value is null).Select(other => other.Key)];
            _awaitsPeers &= aggregators.Ring.Count == 0;
        });
        Receive<CollectorSeen>(Answer);
        Receive<CollectorHeld>(EndCopy);
        Receive<Saved>(saved =>
        {
            _saving = false;
            if (saved.Failure is null)
            {
                Save();
                return;
            }

            // They are saved with the next one.
            Context.GetLogger().Warning("save whose collector ids are, for the next start: {Cause}", saved.Failure);
            _unsaved.InsertRange(0, saved.Pairs);
        });
        Receive<Terminated>(gone =>
        {
            if (!_streams.Remove(gone.ActorRef))
            {
                Close(gone.ActorRef);
            }
        });
    }

    public static Props Props(IngestGateOptions options) => Akka.Actor.Props.Create(() => new IngestGateActor(options));

    private void Admit(Open open)
    {
        var hello = open.Hello;
        if (_awaitsPeers)
        {
            Sender.Tell(new Refusal(StatusCode.Unavailable, "this aggregator has not found the others yet"));
            return;
        }

        if (OtherOf(hello.CollectorId, hello.Instance) is { } other)
        {
            CountCopy(hello, other.Hello.Host);
            Sender.Tell(new Refusal(StatusCode.AlreadyExists, $"{other.Hello.Host} is connected under the same identity"));
            return;
        }

        if (_register.Admit(hello.CollectorId, open.Certificate, out var isNew) is not { } quota)
        {
            _options.Metrics.Impostors.Inc();
            Context.GetLogger().Warning(
                "refused the stream of {Host}: identity {Id} belongs to another certificate than {Certificate}", hello.Host, Convert.ToHexStringLower(hello.CollectorId.Span), open.Certificate);
            Sender.Tell(new Refusal(StatusCode.PermissionDenied, "this collector_id belongs to another certificate; a host that was copied needs a data folder of its own"));
            return;
        }

        if (isNew && open.Certificate.Length > 0)
        {
            _unsaved.Add((hello.CollectorId, open.Certificate));
            Save();
        }

        var ingest = Context.ActorOf(IngestActor.Props(hello.CollectorId, quota, open.Client, _options.Series, open.Credit, _options.Metrics, _options.Clock));
        Context.Watch(ingest);
        _streams.Add(ingest, open);
        Sender.Tell(new Admitted(ingest));
        foreach (var node in _others)
        {
            GateAt(node).Tell(new CollectorSeen { CollectorId = hello.CollectorId, Instance = hello.Instance }, Self);
        }
    }

    private void Save()
    {
        if (_saving || _unsaved.Count == 0)
        {
            return;
        }

        _saving = true;
        var pairs = _unsaved;
        _unsaved = [];
        Task.Run(() => _options.Owners.Add(pairs)).PipeTo(Self, success: () => new Saved(pairs, null), failure: cause => new Saved(pairs, cause.Message));
    }

    private void Answer(CollectorSeen seen)
    {
        if (OtherOf(seen.CollectorId, seen.Instance) is { } holder)
        {
            Sender.Tell(new CollectorHeld { CollectorId = seen.CollectorId, Instance = seen.Instance, Host = holder.Hello.Host });
        }
    }

    private void EndCopy(CollectorHeld held)
    {
        foreach (var copy in _streams.Values.Where(open => open.Hello.CollectorId == held.CollectorId && open.Hello.Instance == held.Instance))
        {
            CountCopy(copy.Hello, held.Host);
            copy.Client.Close($"{held.Host} is connected under the same identity, at {Sender.Path.Address.Host}", isCloned: true);
        }
    }

    private Open? OtherOf(ByteString collector, ulong instance) =>
        _streams.Values.FirstOrDefault(open => open.Hello.CollectorId == collector && open.Hello.Instance != instance);

    private void CountCopy(Hello hello, string other)
    {
        _options.Metrics.Clones.Inc();
        Context.GetLogger().Warning(
            "refused the stream of {Host}: {Other} is connected under the same identity {Id}", hello.Host, other, Convert.ToHexStringLower(hello.CollectorId.Span));
    }

    private IActorRef LocalFor(IActorRef collector, Submit submit)
    {
        if (!_local.TryGetValue((collector, submit.CollectorId), out var ingest))
        {
            var unbounded = new CollectorQuota(new QuotaOptions { TicksPerSecond = 0, BytesPerSecond = 0, StacksPerSecond = 0, Series = 0 }, _options.Clock);
            ingest = Context.ActorOf(IngestActor.Props(
                submit.CollectorId, unbounded, new LocalIngestClient(collector), _options.Series, long.MaxValue, _options.Metrics, _options.Clock));
            Context.Watch(collector);
            _local.Add((collector, submit.CollectorId), ingest);
        }

        return ingest;
    }

    private void Close(IActorRef collector)
    {
        foreach (var (key, ingest) in _local.Where(pair => pair.Key.Item1.Equals(collector)).ToList())
        {
            _local.Remove(key);
            Context.Stop(ingest);
        }
    }

    private static ActorSelection GateAt(Address node) => Context.ActorSelection(new RootActorPath(node) / "user" / "aggregator" / Name);

    private sealed record Saved(List<(ByteString Collector, string Owner)> Pairs, string? Failure);

    /// <summary>Opens a stream. Answered with <see cref="Admitted"/> or <see cref="Refusal"/>.</summary>
    /// <param name="Certificate">Whose certificate the other end showed; "" without TLS.</param>
    public sealed record Open(Hello Hello, IIngestClient Client, long Credit, string Certificate);

    /// <param name="Ingest">The stream's <see cref="IngestActor"/>, which the caller stops.</param>
    public sealed record Admitted(IActorRef Ingest);

    /// <param name="Status">What the stream ends with.</param>
    public sealed record Refusal(StatusCode Status, string Reason);
}

/// <param name="Series">The router that takes batches.</param>
/// <param name="Known">What <paramref name="Owners"/> has of earlier starts.</param>
internal sealed record IngestGateOptions(
    IActorRef Series, QuotaOptions Quota, CollectorOwners Owners, IReadOnlyDictionary<ByteString, string> Known, AggregatorMetrics Metrics, TimeProvider Clock)
{
    /// <summary>Streams are refused until the other aggregators are known: a batch that is sent again may be with one of them.</summary>
    public bool AwaitsPeers { get; init; }
}
