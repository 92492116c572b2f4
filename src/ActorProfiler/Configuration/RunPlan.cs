using System.Collections.Immutable;
using ActorProfiler.Aggregator.Destinations;
using ActorProfiler.Collector.Targets;
using ActorProfiler.Commands.Components;
using ActorProfiler.Configuration.Components;
using ActorProfiler.Configuration.Relabeling;

namespace ActorProfiler.Commands.Configuration;

/// <summary>What a process is to do by its configuration.</summary>
/// <param name="Ebpf">How the host is sampled; null when it is not.</param>
/// <param name="Window">How long samples of a series are merged.</param>
/// <param name="Destinations">With unique names.</param>
internal sealed record RunPlan(
    EbpfComponent? Ebpf, TargetList Targets, TimeSpan Window, ImmutableArray<PyroscopeWriteOptions> Destinations, ClusterComponent Cluster)
{
    /// <remarks>
    /// Profiles go from <c>pyroscope.ebpf</c> through <c>pyroscope.relabel</c> to <c>pyroscope.write</c>. Rules that all profiles pass first
    /// are applied on the host, so that series that become one are merged; rules on the way to some destinations are applied there.
    /// </remarks>
    public static RunPlan Of(ComponentValues values)
    {
        var ebpf = values.Of<EbpfComponent>().Select(pair => pair.Options).FirstOrDefault();
        var aggregate = values.Of<AggregateComponent>().Select(pair => pair.Options).FirstOrDefault();
        var next = ebpf?.ForwardTo ?? aggregate?.ForwardTo
            ?? [.. values.Of<WriteComponent>().Select(pair => (Receiver)new WriteReceiver(pair.State.Id, pair.Options.WithExternalLabels()))];
        var first = ImmutableArray<RelabelRule>.Empty;
        while (next is [RelabelReceiver relabel])
        {
            first = first.IsEmpty ? relabel.Rules : first.AddRange(relabel.Rules);
            next = relabel.ForwardTo;
        }

        var routes = new List<(string Id, int Index, PyroscopeWriteOptions Endpoint, ImmutableArray<RelabelRule> Route)>();
        var window = aggregate?.Window ?? AggregateComponent.DefaultWindow;
        Walk(next, [], routes);
        return new RunPlan(
            ebpf,
            ebpf is null ? TargetList.Empty : new TargetList(ebpf.Targets, !ebpf.TargetsOnly, ebpf.DefaultTarget, first),
            window,
            Named(routes),
            values.Of<ClusterComponent>().Select(pair => pair.Options).FirstOrDefault() ?? new ClusterComponent());
    }

    private static void Walk(
        ImmutableArray<Receiver> receivers, ImmutableArray<RelabelRule> route, List<(string Id, int Index, PyroscopeWriteOptions Endpoint, ImmutableArray<RelabelRule> Route)> routes)
    {
        foreach (var receiver in receivers)
        {
            switch (receiver)
            {
                case WriteReceiver write:
                    routes.AddRange(write.Endpoints.Select((endpoint, index) => (write.Id, index, endpoint, route)));
                    break;
                case RelabelReceiver relabel:
                    Walk(relabel.ForwardTo, route.AddRange(relabel.Rules), routes);
                    break;
                case AggregateReceiver aggregate:
                    Walk(aggregate.ForwardTo, route, routes);
                    break;
                default:
                    throw new InvalidOperationException($"no way through {receiver.GetType().Name}");
            }
        }
    }

    /// <summary>One destination per endpoint, whatever ways lead there. Endpoints with one URL and no name of their own are numbered.</summary>
    private static ImmutableArray<PyroscopeWriteOptions> Named(List<(string Id, int Index, PyroscopeWriteOptions Endpoint, ImmutableArray<RelabelRule> Route)> routes)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var destinations = ImmutableArray.CreateBuilder<PyroscopeWriteOptions>();
        foreach (var group in routes.GroupBy(route => (route.Id, route.Index)))
        {
            var endpoint = group.First().Endpoint;
            var wanted = endpoint.Name.Length > 0 ? endpoint.Name : endpoint.Endpoint;
            var name = names.Contains(wanted) ? $"{wanted} ({group.Key.Id})" : wanted;
            for (var number = 2; !names.Add(name); number++)
            {
                name = $"{wanted} ({group.Key.Id} {number})";
            }

            destinations.Add(endpoint with { Name = name, Routes = [.. group.Select(route => route.Route)] });
        }

        return destinations.ToImmutable();
    }
}
