using System.Collections.Immutable;
using ActorProfiler.Aggregator.Destinations;
using ActorProfiler.Collector.Targets;
using ActorProfiler.Commands.Components;
using ActorProfiler.Configuration.Components;

namespace ActorProfiler.Commands.Configuration;

/// <summary>What a process is to do by its configuration.</summary>
/// <param name="Ebpf">How the host is sampled, for all blocks together; null when it is not.</param>
/// <param name="Targets">What each <c>pyroscope.ebpf</c> block profiles.</param>
/// <param name="Window">How long samples of a series are merged.</param>
/// <param name="Destinations">With unique names.</param>
internal sealed record RunPlan(
    EbpfComponent? Ebpf, ImmutableArray<TargetList> Targets, TimeSpan Window, ImmutableArray<PyroscopeWriteOptions> Destinations, ClusterComponent Cluster)
{
    public static RunPlan Of(ComponentValues values)
    {
        var blocks = values.Of<EbpfComponent>().OrderBy(pair => pair.State.Node.Block.Header.Start).ToList();
        var host = blocks.Count == 0 ? null : EbpfComponent.Together([.. blocks.Select(pair => pair.Options)]);
        var routing = RoutingOf(values);
        return new RunPlan(
            host,
            [.. blocks.Select((pair, i) => pair.Options.TargetsIn(host!, routing.HostRules[i]) with { Origin = routing.NeedsOrigin ? pair.State.Node.Block.Label : "" })],
            values.Of<AggregateComponent>().Select(pair => pair.Options.Window).DefaultIfEmpty(AggregateComponent.DefaultWindow).First(),
            routing.Destinations,
            values.Of<ClusterComponent>().Select(pair => pair.Options).FirstOrDefault() ?? new ClusterComponent());
    }

    /// <summary>From each <c>pyroscope.ebpf</c> block; without one, from <c>pyroscope.aggregate</c>, or to every endpoint.</summary>
    public static Routing RoutingOf(ComponentValues values)
    {
        var blocks = values.Of<EbpfComponent>().OrderBy(pair => pair.State.Node.Block.Header.Start)
            .Select(pair => (Origin: pair.State.Node.Block.Label, pair.Options.ForwardTo)).ToImmutableArray();
        return Routing.Of(!blocks.IsEmpty ? blocks
            : values.Of<AggregateComponent>().FirstOrDefault().Options is { } aggregate ? [("", aggregate.ForwardTo)]
            : [("", [.. values.Of<WriteComponent>().Select(pair => (Receiver)new WriteReceiver(pair.State.Id, pair.Options.WithExternalLabels()))])]);
    }
}
