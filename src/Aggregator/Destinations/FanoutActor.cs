using ActorProfiler.Aggregator.Outbox;
using Akka.Actor;

namespace ActorProfiler.Aggregator.Destinations;

/// <summary>Parent of one <see cref="DestinationActor"/> per destination. Owns destinations that were replaced until their actor has ended.</summary>
internal sealed class FanoutActor : ReceiveActor
{
    private readonly Dictionary<IDestination, IActorRef> _running = [];
    private readonly Dictionary<IActorRef, IDestination> _ending = [];
    private IReadOnlyList<(IDestination Destination, DestinationContext Context)> _destinations;
    private int _undrained;
    private int _started;
    private IActorRef _drainer = ActorRefs.Nobody;

    public FanoutActor(IReadOnlyList<(IDestination Destination, DestinationContext Context)> destinations)
    {
        _destinations = destinations;
        Receive<Replace>(Take);
        Receive<Terminated>(ended =>
        {
            if (_ending.Remove(ended.ActorRef, out var destination))
            {
                (destination as IDisposable)?.Dispose();
            }
        });
        Receive<DestinationActor.Drain>(drain =>
        {
            (_undrained, _drainer) = (_running.Count, Sender);
            foreach (var actor in _running.Values)
            {
                actor.Tell(drain);
            }

            Report();
        });
        Receive<DestinationActor.Drained>(_ =>
        {
            _undrained--;
            Report();
        });
    }

    /// <summary>From now on these destinations: those that run already run on, others are stopped and disposed.</summary>
    public sealed record Replace(IReadOnlyList<(IDestination Destination, DestinationContext Context)> Destinations, IActorRef Outbox);

    public static Props Props(IReadOnlyList<(IDestination Destination, DestinationContext Context)> destinations) =>
        Akka.Actor.Props.Create(() => new FanoutActor(destinations));

    protected override void PreStart() => StartMissing();

    private void Take(Replace replace)
    {
        _destinations = replace.Destinations;
        var names = _destinations.Select(pair => pair.Destination.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var (gone, actor) in _running.Where(pair => !_destinations.Any(wanted => wanted.Destination == pair.Key)).ToList())
        {
            _running.Remove(gone);
            _ending.Add(Context.Watch(actor), gone);
            Context.Stop(actor);
            if (!names.Contains(gone.Name))
            {
                replace.Outbox.Tell(new OutboxActor.Unsubscribe(gone.Name));
            }
        }

        StartMissing();
    }

    private void StartMissing()
    {
        foreach (var (destination, context) in _destinations.Where(pair => !_running.ContainsKey(pair.Destination)))
        {
            // Numbered: the actor of an earlier one of the same name may still be ending.
            _running.Add(destination, Context.ActorOf(DestinationActor.Props(destination, context), $"{Uri.EscapeDataString(destination.Name)}-{_started++}"));
        }
    }

    private void Report()
    {
        if (_undrained == 0)
        {
            _drainer.Tell(DestinationActor.Drained.Instance);
        }
    }
}
