using ActorProfiler.Aggregator;
using Akka.Actor;
using Akka.Configuration;
using Prometheus;

namespace ActorProfiler.Tests;

/// <summary>An aggregator in an actor system of its own.</summary>
internal sealed class RunningAggregator : IAsyncDisposable
{
    private readonly ActorSystem _actors;

    private RunningAggregator(ActorSystem actors, AggregatorSystem system) => (_actors, System) = (actors, system);

    public ActorSystem Actors => _actors;

    public AggregatorSystem System { get; }

    public static async Task<RunningAggregator> StartAsync(AggregatorOptions options)
    {
        var actors = ActorSystem.Create(AggregatorConfig.SystemName, ConfigurationFactory
            .ParseString("akka.coordinated-shutdown.run-by-actor-system-terminate = off\nakka.loglevel = WARNING")
            .WithFallback(AggregatorConfig.For(options.Cluster)));
        return new RunningAggregator(actors, await AggregatorSystem.StartAsync(actors, options with
        {
            Metrics = Metrics.WithCustomRegistry(Metrics.NewCustomRegistry()),
        }));
    }

    /// <summary>An inbox plays the collector.</summary>
    public Inbox Collector() => Inbox.Create(_actors);

    /// <summary>Lets the actors die as a killed process would: nothing is flushed or closed.</summary>
    public async Task KillAsync()
    {
        var root = await _actors.ActorSelection("/user/aggregator").ResolveOne(TimeSpan.FromSeconds(3));
        await root.GracefulStop(TimeSpan.FromSeconds(5));
        await _actors.Terminate();
    }

    public async ValueTask DisposeAsync()
    {
        await System.StopAsync();
        await _actors.Terminate();
    }
}
