using ActorProfiler.Labels;

namespace ActorProfiler.Collector.Targets;

/// <summary>Infers the <c>service_name</c> of a target from what discovery found, in <c>pyroscope.ebpf</c>'s order.</summary>
internal static class ServiceName
{
    public const string Unspecified = "unspecified";

    private const string Annotation = "__meta_kubernetes_pod_annotation_pyroscope_io_service_name";
    private const string Namespace = "__meta_kubernetes_namespace";
    private const string PodContainer = "__meta_kubernetes_pod_container_name";
    private const string DockerContainer = "__meta_docker_container_name";
    private const string SwarmLabel = "__meta_dockerswarm_container_label_service_name";
    private const string SwarmService = "__meta_dockerswarm_service_name";

    public static string Infer(LabelSet discovered)
    {
        foreach (var name in (ReadOnlySpan<string>)[LabelNames.ServiceName, Annotation])
        {
            if (discovered.Contains(name))
            {
                return discovered[name];
            }
        }

        if (discovered.Contains(Namespace) && discovered.Contains(PodContainer))
        {
            return $"ebpf/{discovered[Namespace]}/{discovered[PodContainer]}";
        }

        foreach (var name in (ReadOnlySpan<string>)[DockerContainer, SwarmLabel, SwarmService])
        {
            if (discovered.Contains(name))
            {
                return discovered[name];
            }
        }

        return Unspecified;
    }
}
