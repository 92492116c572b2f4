using Akka.Actor;
using Akka.Cluster;
using Akka.Event;

namespace ActorProfiler.Aggregator.Aggregation;

/// <summary>Follows the cluster's membership and tells each new <see cref="SeriesRing"/> to the router.</summary>
internal sealed class SeriesRingActor : ReceiveActor
{
    /// <summary>Cluster role of the members that own series.</summary>
    public const string Role = "aggregator";

    private readonly Cluster _cluster = Cluster.Get(Context.System);
    private readonly IActorRef _router;

    public SeriesRingActor(IActorRef router)
    {
        _router = router;
        Receive<ClusterEvent.CurrentClusterState>(_ => { });
        Receive<ClusterEvent.IMemberEvent>(_ => Publish());
        Receive<ClusterEvent.IReachabilityEvent>(_ => Publish());
    }

    public static Props Props(IActorRef router) => Akka.Actor.Props.Create(() => new SeriesRingActor(router));

    protected override void PreStart() =>
        _cluster.Subscribe(
            Self,
            ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents,
            typeof(ClusterEvent.IMemberEvent),
            typeof(ClusterEvent.IReachabilityEvent));

    protected override void PostStop() => _cluster.Unsubscribe(Self);

    private void Publish()
    {
        var state = _cluster.State;
        var owners = state.Members
            .Where(member => member.Status == MemberStatus.Up && member.HasRole(Role) && !state.Unreachable.Contains(member))
            .Select(member => member.Address);
        var ring = SeriesRing.Of(owners);
        Context.GetLogger().Info("{Members} aggregators share the series", ring.Count);
        _router.Tell(ring);
    }
}
