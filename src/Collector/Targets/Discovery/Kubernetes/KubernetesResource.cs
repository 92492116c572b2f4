namespace ActorProfiler.Collector.Targets.Discovery.Kubernetes;

/// <summary>A list of objects of the API.</summary>
/// <param name="Kind">As roles are called; <c>namespace</c> too.</param>
/// <param name="Path">With its selectors, without what lists or watches.</param>
internal sealed record KubernetesResource(string Kind, string Path)
{
    private static readonly Dictionary<string, (string Group, string Plural)> _kinds = new(StringComparer.Ordinal)
    {
        ["pod"] = ("api/v1", "pods"),
        ["node"] = ("api/v1", "nodes"),
        ["namespace"] = ("api/v1", "namespaces"),
        ["service"] = ("api/v1", "services"),
        ["endpoints"] = ("api/v1", "endpoints"),
        ["endpointslice"] = ("apis/discovery.k8s.io/v1", "endpointslices"),
        ["ingress"] = ("apis/networking.k8s.io/v1", "ingresses"),
    };

    /// <param name="inNamespace">"" for all.</param>
    public static KubernetesResource Of(string kind, string inNamespace, KubernetesDiscovery.SelectorOptions selector)
    {
        var (group, plural) = _kinds[kind];
        var path = inNamespace.Length > 0 ? $"{group}/namespaces/{Uri.EscapeDataString(inNamespace)}/{plural}" : $"{group}/{plural}";
        var query = new[] { ("labelSelector", selector.Label), ("fieldSelector", selector.Field) }
            .Where(pair => pair.Item2.Length > 0).Select(pair => $"{pair.Item1}={Uri.EscapeDataString(pair.Item2)}");
        return new KubernetesResource(kind, $"{path}?{string.Join('&', query)}");
    }
}
