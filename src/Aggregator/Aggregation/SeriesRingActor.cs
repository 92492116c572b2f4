using System.Collections.Immutable;
using ActorProfiler.Aggregator.Peers;
using ActorProfiler.Protocol;
using Akka.Actor;
using Akka.Cluster;
using Akka.Event;

namespace ActorProfiler.Aggregator.Aggregation;

/// <summary>Follows the cluster's membership and tells each change of the <see cref="Aggregators"/> to those who route.</summary>
internal sealed class SeriesRingActor : ReceiveActor
{
    /// <summary>Cluster role of the members that own series.</summary>
    public const string Role = "aggregator";

    private readonly Cluster _cluster = Cluster.Get(Context.System);
    private readonly HashSet<UniqueAddress> _up = [];
    private readonly HashSet<UniqueAddress> _unreachable = [];
    private readonly Dictionary<Address, DateTimeOffset?> _known = [];
    private readonly HashSet<Address> _listed;
    private readonly TimeProvider _clock;
    private readonly IReadOnlyList<IActorRef> _followers;
    private int _shared = -1;

    // Kept from the events: the cluster's own view may lag behind them.
    public SeriesRingActor(IReadOnlyList<IActorRef> followers, TimeProvider clock)
    {
        (_followers, _clock, _listed) = (followers, clock, [.. _cluster.Settings.SeedNodes]);
        Receive<ClusterEvent.MemberUp>(up => up.Member.HasRole(Role), up => Publish(_up.Add(up.Member.UniqueAddress)));
        Receive<ClusterEvent.MemberLeft>(left => Publish(_up.Remove(left.Member.UniqueAddress)));
        Receive<ClusterEvent.MemberExited>(exited => Publish(_up.Remove(exited.Member.UniqueAddress)));
        Receive<ClusterEvent.MemberDowned>(downed => Publish(_up.Remove(downed.Member.UniqueAddress)));
        Receive<ClusterEvent.MemberRemoved>(removed =>
            Publish(_up.Remove(removed.Member.UniqueAddress) | _unreachable.Remove(removed.Member.UniqueAddress) | Forget(removed)));
        Receive<ClusterEvent.UnreachableMember>(lost => Publish(_unreachable.Add(lost.Member.UniqueAddress)));
        Receive<ClusterEvent.ReachableMember>(back => Publish(_unreachable.Remove(back.Member.UniqueAddress)));
        Receive<ClusterEvent.IMemberEvent>(_ => { });
        Receive<PeerList>(list => Publish(Take(list.Addresses))); // one that is in it no more and is not up will not come back with batches
    }

    public static Props Props(IReadOnlyList<IActorRef> followers, TimeProvider clock) => Akka.Actor.Props.Create(() => new SeriesRingActor(followers, clock));

    protected override void PreStart() =>
        _cluster.Subscribe(
            Self,
            ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents,
            typeof(ClusterEvent.IMemberEvent),
            typeof(ClusterEvent.IReachabilityEvent));

    protected override void PostStop() => _cluster.Unsubscribe(Self);

    // One that left has given everything away; one that was taken for dead may come back with what it stored.
    private bool Forget(ClusterEvent.MemberRemoved removed) =>
        removed.PreviousStatus == MemberStatus.Exiting && !_listed.Contains(removed.Member.Address) && _known.Remove(removed.Member.Address);

    private bool Take(ImmutableHashSet<Address> addresses)
    {
        foreach (var gone in _listed.Except(addresses).Where(address => !_up.Any(member => member.Address.Equals(address))).ToList())
        {
            _known.Remove(gone);
        }

        _listed.Clear();
        _listed.UnionWith(addresses);
        return true;
    }

    private void Publish(bool changed)
    {
        if (!changed)
        {
            return;
        }

        var present = _up.Except(_unreachable).Select(member => member.Address).ToHashSet();
        var ring = SeriesRing.Of(present);
        if (ring.Count != _shared)
        {
            _shared = ring.Count;
            Context.GetLogger().Info("{Members} aggregators share the series", ring.Count);
        }

        foreach (var address in _known.Keys.Concat(_listed).Concat(present).Where(address => !address.Equals(_cluster.SelfAddress)).ToHashSet())
        {
            _known[address] = present.Contains(address) ? null : _known.GetValueOrDefault(address) ?? _clock.GetUtcNow();
        }

        var aggregators = new Aggregators(ring, _known.ToImmutableDictionary());
        foreach (var follower in _followers)
        {
            follower.Tell(aggregators);
        }
    }
}

/// <param name="Ring">Those that are up and reachable, among which the series are shared.</param>
/// <param name="Others">Every other one that may hold a batch: configured, or seen and not left; with the time since when it is gone, or null.</param>
internal sealed record Aggregators(SeriesRing Ring, ImmutableDictionary<Address, DateTimeOffset?> Others)
{
    /// <summary>By then the cluster has taken a node that is gone here for dead everywhere, and it has stopped.</summary>
    private static readonly TimeSpan _goneEverywhere = TimeSpan.FromMinutes(1);

    /// <summary>The others that may hold a batch that was sent before: not those that were gone when it was sent first.</summary>
    public IReadOnlyList<Address> Holders(Submit submit, DateTimeOffset now)
    {
        var sent = submit.SentMillisAgo == 0 ? DateTimeOffset.MinValue : now - TimeSpan.FromMilliseconds(Math.Min(submit.SentMillisAgo, uint.MaxValue));
        return [.. Others.Where(other => other.Value is not { } gone || sent < gone + _goneEverywhere).Select(other => other.Key)];
    }
}
