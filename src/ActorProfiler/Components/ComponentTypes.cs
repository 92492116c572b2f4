using System.Collections.Immutable;
using ActorProfiler.Collector.Targets.Discovery;
using ActorProfiler.Collector.Targets.Discovery.Docker;
using ActorProfiler.Collector.Targets.Discovery.Kubernetes;
using ActorProfiler.Configuration.Components;

namespace ActorProfiler.Commands.Components;

/// <summary>Every block that may stand at the top of a configuration file, in the order of the documentation.</summary>
internal static class ComponentTypes
{
    public static readonly ImmutableArray<IComponentType> All =
    [
        EbpfComponent.Type,
        RelabelComponent.Type,
        AggregateComponent.Type,
        WriteComponent.Type,
        ProcessDiscovery.Type,
        RelabelDiscovery.Type,
        FileDiscovery.Type,
        HttpDiscovery.Type,
        DockerDiscovery.Type,
        DockerSwarmDiscovery.Type,
        KubernetesDiscovery.Type,
        ClusterComponent.Type,
        AcceptedComponents.Logging,
        AcceptedComponents.Http,
    ];
}
