using System.Text.Json.Nodes;
using ActorProfiler.Labels;

namespace ActorProfiler.Collector.Targets.Discovery.Kubernetes;

/// <summary>
/// The targets of endpoints and endpoint slices: each address with each port, with what its pod and service say; then the ports of those
/// pods that no endpoint has.
/// </summary>
internal static class EndpointTargets
{
    private const string Endpoint = "__meta_kubernetes_endpoint_";
    private const string Slice = "__meta_kubernetes_endpointslice_";

    /// <summary>One address with one port.</summary>
    /// <param name="Target">What it is the address of, as a reference; null when that is not said.</param>
    /// <param name="Protocol">Said of the container's port; "" for what the container says itself.</param>
    private sealed record Entry(LabelSet Own, JsonNode? Target, string Port, string Protocol);

    public static IEnumerable<LabelSet> OfEndpoints(JsonNode endpoints, ClusterObjects cluster)
    {
        var (inNamespace, name) = (JsonLabels.Text(endpoints, "metadata", "namespace"), JsonLabels.Text(endpoints, "metadata", "name"));
        var labels = new Dictionary<string, string>(StringComparer.Ordinal) { ["__meta_kubernetes_endpoints_name"] = name };
        ClusterObjects.AddMetadata(labels, "__meta_kubernetes_endpoints_", endpoints);
        var common = cluster.InNamespaceOf(endpoints).With(ServiceOf(cluster, inNamespace, name)).With(LabelSet.From(labels));
        return Targets(cluster, common, [.. Entries(endpoints, cluster)]);
    }

    public static IEnumerable<LabelSet> OfSlice(JsonNode slice, ClusterObjects cluster)
    {
        var inNamespace = JsonLabels.Text(slice, "metadata", "namespace");
        var service = cluster.FindService(inNamespace, JsonLabels.Text(slice["metadata"]?["labels"], "kubernetes.io/service-name"));
        var family = JsonLabels.Text(slice, "addressType");
        if (service is not null && IsOfSecondFamily(service, family))
        {
            return [];
        }

        var labels = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [Slice + "name"] = JsonLabels.Text(slice, "metadata", "name"),
            [Slice + "address_type"] = family,
        };
        ClusterObjects.AddMetadata(labels, Slice, slice);
        var common = cluster.InNamespaceOf(slice).With(service is null ? LabelSet.Empty : cluster.OfService(service)).With(LabelSet.From(labels));
        return Targets(cluster, common, [.. SliceEntries(slice, cluster)]);
    }

    private static IEnumerable<Entry> Entries(JsonNode endpoints, ClusterObjects cluster) =>
        from subset in JsonLabels.Items(endpoints["subsets"])
        from port in JsonLabels.Items(subset["ports"])
        from address in JsonLabels.Items(subset["addresses"]).Select(address => (Node: address, Ready: "true")).Concat(JsonLabels.Items(subset["notReadyAddresses"]).Select(address => (Node: address, Ready: "false")))
        let node = JsonLabels.Text(address.Node, "nodeName")
        let reference = address.Node["targetRef"]
        let own = LabelSet.Of(
            ("__address__", JsonLabels.Address(JsonLabels.Text(address.Node, "ip"), JsonLabels.Text(port, "port"))),
            (Endpoint + "port_name", JsonLabels.Text(port, "name")),
            (Endpoint + "port_protocol", JsonLabels.Text(port, "protocol")),
            (Endpoint + "ready", address.Ready),
            (Endpoint + "hostname", JsonLabels.Text(address.Node, "hostname")),
            (Endpoint + "node_name", node),
            (Endpoint + "address_target_kind", JsonLabels.Text(reference, "kind")),
            (Endpoint + "address_target_name", JsonLabels.Text(reference, "name")))
        select new Entry(own.With(cluster.OfNode(node.Length > 0 ? node : NodeOf(reference))), reference, JsonLabels.Text(port, "port"), JsonLabels.Text(port, "protocol"));

    private static IEnumerable<Entry> SliceEntries(JsonNode slice, ClusterObjects cluster) =>
        from endpoint in JsonLabels.Items(slice["endpoints"])
        from port in JsonLabels.Items(slice["ports"])
        from address in JsonLabels.Items(endpoint["addresses"]).Select(address => JsonLabels.Text(address))
        let number = JsonLabels.Text(port, "port")
        let node = JsonLabels.Text(endpoint, "nodeName")
        let reference = endpoint["targetRef"]
        let own = LabelSet.Of(
            ("__address__", number.Length > 0 ? JsonLabels.Address(address, number) : address),
            (Slice + "port_name", JsonLabels.Text(port, "name")),
            (Slice + "port_protocol", JsonLabels.Text(port, "protocol")),
            (Slice + "port", number),
            (Slice + "port_app_protocol", JsonLabels.Text(port, "appProtocol")),
            (Slice + "endpoint_conditions_ready", JsonLabels.Text(endpoint, "conditions", "ready")),
            (Slice + "endpoint_conditions_serving", JsonLabels.Text(endpoint, "conditions", "serving")),
            (Slice + "endpoint_conditions_terminating", JsonLabels.Text(endpoint, "conditions", "terminating")),
            (Slice + "endpoint_hostname", JsonLabels.Text(endpoint, "hostname")),
            (Slice + "endpoint_node_name", node),
            (Slice + "endpoint_zone", JsonLabels.Text(endpoint, "zone")),
            (Slice + "address_target_kind", JsonLabels.Text(reference, "kind")),
            (Slice + "address_target_name", JsonLabels.Text(reference, "name")))
        select new Entry(own.With(Topology(endpoint)).With(cluster.OfNode(NodeOf(reference) is { Length: > 0 } named ? named : node)), reference, number, "");

    private static LabelSet Topology(JsonNode endpoint)
    {
        var labels = new Dictionary<string, string>(StringComparer.Ordinal);
        JsonLabels.AddAll(labels, Slice + "endpoint_topology_", endpoint["deprecatedTopology"]);
        JsonLabels.AddPresence(labels, Slice + "endpoint_topology_present_", endpoint["deprecatedTopology"]);
        return LabelSet.From(labels);
    }

    private static IEnumerable<LabelSet> Targets(ClusterObjects cluster, LabelSet common, IReadOnlyList<Entry> entries)
    {
        var pods = new Dictionary<JsonNode, HashSet<string>>();
        foreach (var entry in entries)
        {
            if (PodOf(cluster, entry.Target) is not { } pod)
            {
                yield return common.With(entry.Own);
                continue;
            }

            (pods.TryGetValue(pod, out var ports) ? ports : pods[pod] = []).Add(entry.Port);
            yield return common.With(entry.Own).With(ClusterObjects.OfPod(pod)).With(ContainerWith(pod, entry));
        }

        foreach (var (pod, ports) in pods.Where(pair => JsonLabels.Text(pair.Key, "status", "podIP").Length > 0))
        {
            foreach (var (container, port, isInit) in Ports(pod).Where(open => !ports.Contains(JsonLabels.Text(open.Port, "containerPort"))))
            {
                yield return common.With(ClusterObjects.OfPod(pod)).With(KubernetesTargets.Container(container, isInit)).With(KubernetesTargets.Port(port))
                    .With("__address__", JsonLabels.Address(JsonLabels.Text(pod, "status", "podIP"), JsonLabels.Text(port, "containerPort")));
            }
        }
    }

    /// <summary>Of the container that has the port; of several, the last.</summary>
    private static LabelSet ContainerWith(JsonNode pod, Entry entry)
    {
        var match = Ports(pod).LastOrDefault(open => entry.Port.Length > 0 && JsonLabels.Text(open.Port, "containerPort") == entry.Port);
        if (match.Container is null)
        {
            return LabelSet.Empty;
        }

        var first = Ports(pod).First(open => ReferenceEquals(open.Container, match.Container) && JsonLabels.Text(open.Port, "containerPort") == entry.Port);
        var labels = KubernetesTargets.Container(first.Container, first.IsInit).With(KubernetesTargets.Port(first.Port));
        return entry.Protocol.Length > 0 ? labels.With("__meta_kubernetes_pod_container_port_protocol", entry.Protocol) : labels;
    }

    private static IEnumerable<(JsonNode Container, JsonNode Port, bool IsInit)> Ports(JsonNode pod) =>
        from pair in KubernetesTargets.Containers(pod)
        from port in JsonLabels.Items(pair.Container["ports"])
        select (pair.Container, port, pair.IsInit);

    private static LabelSet ServiceOf(ClusterObjects cluster, string inNamespace, string name) =>
        cluster.FindService(inNamespace, name) is { } service ? cluster.OfService(service) : LabelSet.Empty;

    private static JsonNode? PodOf(ClusterObjects cluster, JsonNode? reference) =>
        JsonLabels.Text(reference, "kind") == "Pod" ? cluster.FindPod(JsonLabels.Text(reference, "namespace"), JsonLabels.Text(reference, "name")) : null;

    private static string NodeOf(JsonNode? reference) => JsonLabels.Text(reference, "kind") == "Node" ? JsonLabels.Text(reference, "name") : "";

    /// <summary>A service with addresses of both families has its endpoints twice: those of its first family count.</summary>
    private static bool IsOfSecondFamily(JsonNode service, string family) =>
        JsonLabels.Text(service, "spec", "ipFamilyPolicy") is "PreferDualStack" or "RequireDualStack"
        && JsonLabels.Items(service["spec"]?["ipFamilies"]).FirstOrDefault() is { } first && JsonLabels.Text(first) != family;
}
