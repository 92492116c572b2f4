using System.Text.Json.Nodes;
using ActorProfiler.Labels;

namespace ActorProfiler.Collector.Targets.Discovery.Kubernetes;

/// <summary>The objects of a cluster by name, and the labels that targets take over from them.</summary>
internal sealed class ClusterObjects(KubernetesStore store, KubernetesDiscovery.AttachOptions attach)
{
    private const string Meta = "__meta_kubernetes_";

    private readonly Dictionary<string, JsonNode> _pods = ByName(store, "pod");
    private readonly Dictionary<string, JsonNode> _services = ByName(store, "service");
    private readonly Dictionary<string, JsonNode> _nodes = attach.Node ? ByName(store, "node") : [];
    private readonly Dictionary<string, JsonNode> _namespaces = attach.Namespace ? ByName(store, "namespace") : [];

    public JsonNode? FindPod(string inNamespace, string name) => _pods.GetValueOrDefault($"{inNamespace}/{name}");

    public JsonNode? FindService(string inNamespace, string name) => _services.GetValueOrDefault($"{inNamespace}/{name}");

    /// <summary>Adds <c>label_*</c>, <c>labelpresent_*</c>, <c>annotation_*</c> and <c>annotationpresent_*</c>.</summary>
    public static void AddMetadata(Dictionary<string, string> labels, string prefix, JsonNode? item)
    {
        foreach (var (field, name) in new[] { ("labels", "label"), ("annotations", "annotation") })
        {
            JsonLabels.AddAll(labels, $"{prefix}{name}_", item?["metadata"]?[field]);
            JsonLabels.AddPresence(labels, $"{prefix}{name}present_", item?["metadata"]?[field]);
        }
    }

    /// <summary>The namespace of an object, and what is to be said of it.</summary>
    public LabelSet InNamespaceOf(JsonNode item)
    {
        var name = JsonLabels.Text(item, "metadata", "namespace");
        var labels = new Dictionary<string, string>(StringComparer.Ordinal) { [Meta + "namespace"] = name };
        AddMetadata(labels, Meta + "namespace_", _namespaces.GetValueOrDefault($"/{name}"));
        return LabelSet.From(labels);
    }

    public LabelSet OfNode(string name)
    {
        if (!_nodes.TryGetValue($"/{name}", out var node))
        {
            return LabelSet.Empty;
        }

        var labels = new Dictionary<string, string>(StringComparer.Ordinal) { [Meta + "node_name"] = name };
        AddMetadata(labels, Meta + "node_", node);
        return LabelSet.From(labels);
    }

    public LabelSet OfService(JsonNode service)
    {
        var labels = new Dictionary<string, string>(StringComparer.Ordinal) { [Meta + "service_name"] = JsonLabels.Text(service, "metadata", "name") };
        AddMetadata(labels, Meta + "service_", service);
        return InNamespaceOf(service).With(LabelSet.From(labels));
    }

    /// <summary>Whether objects on a node count: with the metadata of nodes attached, only those on nodes that are known, for selectors may leave some out.</summary>
    public bool Includes(string node) => !attach.Node || _nodes.ContainsKey($"/{node}");

    /// <summary>What all targets of a pod say of it, but for its namespace and node.</summary>
    public static LabelSet OfPod(JsonNode pod)
    {
        var owner = JsonLabels.Items(pod["metadata"]?["ownerReferences"]).FirstOrDefault(reference => JsonLabels.Text(reference, "controller") == "true");
        var ready = JsonLabels.Items(pod["status"]?["conditions"]).FirstOrDefault(condition => JsonLabels.Text(condition, "type") == "Ready");
        var labels = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [Meta + "pod_name"] = JsonLabels.Text(pod, "metadata", "name"),
            [Meta + "pod_ip"] = JsonLabels.Text(pod, "status", "podIP"),
            [Meta + "pod_ready"] = ready is null ? "unknown" : JsonLabels.Text(ready, "status").ToLowerInvariant(),
            [Meta + "pod_phase"] = JsonLabels.Text(pod, "status", "phase"),
            [Meta + "pod_node_name"] = JsonLabels.Text(pod, "spec", "nodeName"),
            [Meta + "pod_host_ip"] = JsonLabels.Text(pod, "status", "hostIP"),
            [Meta + "pod_uid"] = JsonLabels.Text(pod, "metadata", "uid"),
            [Meta + "pod_controller_kind"] = JsonLabels.Text(owner, "kind"),
            [Meta + "pod_controller_name"] = JsonLabels.Text(owner, "name"),
        };
        AddMetadata(labels, Meta + "pod_", pod);
        return LabelSet.From(labels);
    }

    private static Dictionary<string, JsonNode> ByName(KubernetesStore store, string kind) => store.Of(kind)
        .GroupBy(item => $"{JsonLabels.Text(item, "metadata", "namespace")}/{JsonLabels.Text(item, "metadata", "name")}")
        .ToDictionary(group => group.Key, group => group.First(), StringComparer.Ordinal);
}
