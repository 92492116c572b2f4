using System.Collections.Immutable;
using Akka.Actor;
using Akka.Cluster;
using Akka.Event;

namespace ActorProfiler.Aggregator.Aggregation;

/// <summary>Follows the cluster's membership and tells each change of the <see cref="Aggregators"/> to the router.</summary>
internal sealed class SeriesRingActor : ReceiveActor
{
    /// <summary>Cluster role of the members that own series.</summary>
    public const string Role = "aggregator";

    private readonly Cluster _cluster = Cluster.Get(Context.System);
    private readonly HashSet<UniqueAddress> _up = [];
    private readonly HashSet<UniqueAddress> _unreachable = [];
    private readonly HashSet<Address> _known = [];
    private readonly IActorRef _router;
    private int _shared = -1;

    // Kept from the events: the cluster's own view may lag behind them.
    public SeriesRingActor(IActorRef router)
    {
        _router = router;
        _known.UnionWith(_cluster.Settings.SeedNodes);
        Receive<ClusterEvent.MemberUp>(up => up.Member.HasRole(Role), up => Publish(_up.Add(up.Member.UniqueAddress) | _known.Add(up.Member.Address)));
        Receive<ClusterEvent.MemberLeft>(left => Publish(_up.Remove(left.Member.UniqueAddress)));
        Receive<ClusterEvent.MemberExited>(exited => Publish(_up.Remove(exited.Member.UniqueAddress)));
        Receive<ClusterEvent.MemberDowned>(downed => Publish(_up.Remove(downed.Member.UniqueAddress)));
        Receive<ClusterEvent.MemberRemoved>(removed =>
            Publish(_up.Remove(removed.Member.UniqueAddress) | _unreachable.Remove(removed.Member.UniqueAddress) | Forget(removed)));
        Receive<ClusterEvent.UnreachableMember>(lost => Publish(_unreachable.Add(lost.Member.UniqueAddress)));
        Receive<ClusterEvent.ReachableMember>(back => Publish(_unreachable.Remove(back.Member.UniqueAddress)));
        Receive<ClusterEvent.IMemberEvent>(_ => { });
    }

    public static Props Props(IActorRef router) => Akka.Actor.Props.Create(() => new SeriesRingActor(router));

    protected override void PreStart() =>
        _cluster.Subscribe(
            Self,
            ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents,
            typeof(ClusterEvent.IMemberEvent),
            typeof(ClusterEvent.IReachabilityEvent));

    protected override void PostStop() => _cluster.Unsubscribe(Self);

    // One that left has given everything away; one that was taken for dead may come back with what it stored.
    private bool Forget(ClusterEvent.MemberRemoved removed) =>
        removed.PreviousStatus == MemberStatus.Exiting
        && !_cluster.Settings.SeedNodes.Contains(removed.Member.Address)
        && _known.Remove(removed.Member.Address);

    private void Publish(bool changed)
    {
        if (!changed)
        {
            return;
        }

        var ring = SeriesRing.Of(_up.Except(_unreachable).Select(member => member.Address));
        if (ring.Count != _shared)
        {
            _shared = ring.Count;
            Context.GetLogger().Info("{Members} aggregators share the series", ring.Count);
        }

        _router.Tell(new Aggregators(ring, [.. _known.Where(address => !address.Equals(_cluster.SelfAddress))]));
    }
}

/// <param name="Ring">Those that are up and reachable, among which the series are shared.</param>
/// <param name="Others">Every other one that may hold a batch: configured, or seen and not left.</param>
internal sealed record Aggregators(SeriesRing Ring, ImmutableHashSet<Address> Others);
