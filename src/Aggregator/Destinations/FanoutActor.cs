using Akka.Actor;

namespace ActorProfiler.Aggregator.Destinations;

/// <summary>Parent of one <see cref="DestinationActor"/> per destination.</summary>
internal sealed class FanoutActor : ReceiveActor
{
    private readonly IReadOnlyList<(IDestination Destination, DestinationContext Context)> _destinations;
    private int _undrained;
    private IActorRef _drainer = ActorRefs.Nobody;

    public FanoutActor(IReadOnlyList<(IDestination Destination, DestinationContext Context)> destinations)
    {
        _destinations = destinations;
        Receive<DestinationActor.Drain>(drain =>
        {
            var children = Context.GetChildren().ToList();
            (_undrained, _drainer) = (children.Count, Sender);
            children.ForEach(child => child.Tell(drain));
            Report();
        });
        Receive<DestinationActor.Drained>(_ =>
        {
            _undrained--;
            Report();
        });
    }

    public static Props Props(IReadOnlyList<(IDestination Destination, DestinationContext Context)> destinations) =>
        Akka.Actor.Props.Create(() => new FanoutActor(destinations));

    protected override void PreStart()
    {
        foreach (var (destination, context) in _destinations)
        {
            Context.ActorOf(DestinationActor.Props(destination, context), Uri.EscapeDataString(destination.Name));
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
