using ActorProfiler.Aggregator;
using ActorProfiler.Aggregator.Destinations;
using ActorProfiler.Collector;
using ActorProfiler.Collector.Targets;
using ActorProfiler.Commands.Components;
using ActorProfiler.Telemetry;

namespace ActorProfiler.Commands.Configuration;

/// <summary>Brings what runs in this process in line with a plan, changing only what differs.</summary>
/// <remarks>For one caller at a time.</remarks>
/// <param name="always">Destinations that do not come from the configuration.</param>
internal sealed class RunningSystems(
    CollectorSystem? collector, AggregatorSystem? aggregator, IReadOnlyList<DestinationSetup> always, RunPlan started, IReadOnlyList<DestinationSetup> setups, bool hasTls, LogWriter log)
{
    private readonly HashSet<string> _reported = new(StringComparer.Ordinal);
    private RunPlan _plan = started;
    private IReadOnlyList<DestinationSetup> _setups = setups;

    /// <summary>The destinations of a plan.</summary>
    public static IReadOnlyList<DestinationSetup> Setups(RunPlan plan) =>
        [.. plan.Destinations.Select(options => DestinationSetup.Pyroscope(options, TimeProvider.System))];

    public void Apply(RunPlan plan)
    {
        var last = _plan;
        _plan = plan;
        ApplyTargets(last, plan);
        if (plan.Ebpf is { } ebpf && collector is not null && last.Ebpf != ebpf && IsSampledOtherwise(last, plan))
        {
            collector.Configure(ebpf.Sampling, ebpf.CollectInterval, ebpf.Symbols, ebpf.Containers, ebpf.DisabledRuntimes);
        }

        ApplyAddresses(last.Cluster, plan.Cluster);
        if (aggregator is not null && (plan.Window != last.Window || !plan.Destinations.SequenceEqual(last.Destinations, SameDestination.Comparer)))
        {
            _setups = [.. plan.Destinations.Select(options => Kept(last, options) ?? DestinationSetup.Pyroscope(options, TimeProvider.System))];
            aggregator.Configure([.. always, .. _setups], plan.Window);
        }
    }

    private void ApplyAddresses(ClusterComponent last, ClusterComponent cluster)
    {
        if (collector is not null && aggregator is null && !last.Urls(hasTls).SequenceEqual(cluster.Urls(hasTls)))
        {
            collector.SetAggregators(cluster.Urls(hasTls));
        }

        if (aggregator is not null && !last.Seeds.SequenceEqual(cluster.Seeds))
        {
            aggregator.SetPeers(cluster.Seeds);
        }

        if (aggregator is not null && last.PeerSources != cluster.PeerSources)
        {
            aggregator.SearchPeers(cluster.PeerSources);
        }
    }

    private static bool IsSampledOtherwise(RunPlan last, RunPlan plan) =>
        last.Ebpf is not { } before || (before.Sampling, before.CollectInterval, before.Symbols, before.Containers) != (plan.Ebpf!.Sampling, plan.Ebpf.CollectInterval, plan.Ebpf.Symbols, plan.Ebpf.Containers)
        || !before.DisabledRuntimes.SequenceEqual(plan.Ebpf.DisabledRuntimes);

    private void ApplyTargets(RunPlan last, RunPlan plan)
    {
        if (collector is null || (plan.Targets.SequenceEqual(last.Targets) && !ReferenceEquals(plan, last)))
        {
            return;
        }

        collector.SetTargets(plan.Targets);
        foreach (var problem in plan.Targets.SelectMany(block => block.Targets.SelectMany(TargetOptions.Problems).Concat(TargetTable.Duplicates(block.Targets))))
        {
            // Discovery brings the same targets again and again: said once.
            if (_reported.Count < 1000 && _reported.Add(problem))
            {
                log.Write(LogLevel.Warning, "targets", problem);
            }
        }
    }

    private DestinationSetup? Kept(RunPlan last, PyroscopeWriteOptions options)
    {
        for (var i = 0; i < last.Destinations.Length; i++)
        {
            if (SameDestination.Comparer.Equals(last.Destinations[i], options))
            {
                return _setups[i];
            }
        }

        return null;
    }

    /// <summary>Endpoints are the same when no argument was decoded anew and the same rules lead there.</summary>
    private sealed class SameDestination : IEqualityComparer<PyroscopeWriteOptions>
    {
        public static readonly SameDestination Comparer = new();

        public bool Equals(PyroscopeWriteOptions? x, PyroscopeWriteOptions? y) =>
            x is not null && y is not null && x with { Routes = y.Routes } == y && x.Routes.Length == y.Routes.Length
            && x.Routes.Zip(y.Routes).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second.AsSpan()));

        public int GetHashCode(PyroscopeWriteOptions options) => options.Name.GetHashCode(StringComparison.Ordinal);
    }
}
