using System.Text.Json.Nodes;
using ActorProfiler.Labels;

namespace ActorProfiler.Collector.Targets.Discovery.Kubernetes;

/// <summary>The targets of endpoints and endpoint slices: each address with each port, with what its pod and service say.</summary>
/// <remarks>Ports of a pod that no endpoint has are no targets here: the role pod has them.</remarks>
internal static class EndpointTargets
{
    private const string Endpoint = "__meta_kubernetes_endpoint_";
    private const string Slice = "__meta_kubernetes_endpointslice_";

    public static IEnumerable<LabelSet> OfEndpoints(JsonNode endpoints, ClusterObjects cluster)
    {
        var (inNamespace, name) = (JsonLabels.Text(endpoints, "metadata", "namespace"), JsonLabels.Text(endpoints, "metadata", "name"));
        var labels = new Dictionary<string, string>(StringComparer.Ordinal) { ["__meta_kubernetes_endpoints_name"] = name };
        ClusterObjects.AddMetadata(labels, "__meta_kubernetes_endpoints_", endpoints);
        var common = cluster.InNamespaceOf(endpoints).With(LabelSet.From(labels)).With(ServiceOf(cluster, inNamespace, name));
        return
            from subset in JsonLabels.Items(endpoints["subsets"])
            from port in JsonLabels.Items(subset["ports"])
            from address in JsonLabels.Items(subset["addresses"]).Select(address => (Node: address, Ready: "true")).Concat(JsonLabels.Items(subset["notReadyAddresses"]).Select(address => (Node: address, Ready: "false")))
            let own = LabelSet.Of(
                ("__address__", JsonLabels.Address(JsonLabels.Text(address.Node, "ip"), JsonLabels.Text(port, "port"))),
                (Endpoint + "port_name", JsonLabels.Text(port, "name")),
                (Endpoint + "port_protocol", JsonLabels.Text(port, "protocol")),
                (Endpoint + "ready", address.Ready),
                (Endpoint + "hostname", JsonLabels.Text(address.Node, "hostname")),
                (Endpoint + "node_name", JsonLabels.Text(address.Node, "nodeName")),
                (Endpoint + "address_target_kind", JsonLabels.Text(address.Node, "targetRef", "kind")),
                (Endpoint + "address_target_name", JsonLabels.Text(address.Node, "targetRef", "name")))
            select common.With(own).With(PodOf(cluster, address.Node["targetRef"], inNamespace, JsonLabels.Text(port, "port"), JsonLabels.Text(address.Node, "nodeName")));
    }

    public static IEnumerable<LabelSet> OfSlice(JsonNode slice, ClusterObjects cluster)
    {
        var inNamespace = JsonLabels.Text(slice, "metadata", "namespace");
        var labels = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [Slice + "name"] = JsonLabels.Text(slice, "metadata", "name"),
            [Slice + "address_type"] = JsonLabels.Text(slice, "addressType"),
        };
        ClusterObjects.AddMetadata(labels, Slice, slice);
        var service = JsonLabels.Text(slice["metadata"]?["labels"], "kubernetes.io/service-name");
        var common = cluster.InNamespaceOf(slice).With(LabelSet.From(labels)).With(ServiceOf(cluster, inNamespace, service));
        return
            from port in JsonLabels.Items(slice["ports"])
            from endpoint in JsonLabels.Items(slice["endpoints"])
            from address in JsonLabels.Items(endpoint["addresses"])
            let own = LabelSet.Of(
                ("__address__", JsonLabels.Address(JsonLabels.Text(address), JsonLabels.Text(port, "port"))),
                (Slice + "port_name", JsonLabels.Text(port, "name")),
                (Slice + "port_protocol", JsonLabels.Text(port, "protocol")),
                (Slice + "port", JsonLabels.Text(port, "port")),
                (Slice + "port_app_protocol", JsonLabels.Text(port, "appProtocol")),
                (Slice + "endpoint_conditions_ready", JsonLabels.Text(endpoint, "conditions", "ready")),
                (Slice + "endpoint_conditions_serving", JsonLabels.Text(endpoint, "conditions", "serving")),
                (Slice + "endpoint_conditions_terminating", JsonLabels.Text(endpoint, "conditions", "terminating")),
                (Slice + "endpoint_hostname", JsonLabels.Text(endpoint, "hostname")),
                (Slice + "endpoint_node_name", JsonLabels.Text(endpoint, "nodeName")),
                (Slice + "endpoint_zone", JsonLabels.Text(endpoint, "zone")),
                (Slice + "address_target_kind", JsonLabels.Text(endpoint, "targetRef", "kind")),
                (Slice + "address_target_name", JsonLabels.Text(endpoint, "targetRef", "name")))
            select common.With(own).With(PodOf(cluster, endpoint["targetRef"], inNamespace, JsonLabels.Text(port, "port"), JsonLabels.Text(endpoint, "nodeName")));
    }

    private static LabelSet ServiceOf(ClusterObjects cluster, string inNamespace, string name) =>
        cluster.FindService(inNamespace, name) is { } service ? cluster.OfService(service) : LabelSet.Empty;

    /// <summary>Of the pod behind an address, and of its container that has the port.</summary>
    private static LabelSet PodOf(ClusterObjects cluster, JsonNode? reference, string inNamespace, string port, string node)
    {
        if (JsonLabels.Text(reference, "kind") != "Pod" || cluster.FindPod(inNamespace, JsonLabels.Text(reference, "name")) is not { } pod)
        {
            return cluster.OfNode(node);
        }

        var labels = cluster.OfPod(pod);
        var match = JsonLabels.Items(pod["spec"]?["containers"])
            .SelectMany(container => JsonLabels.Items(container["ports"]).Select(own => (container, own)))
            .FirstOrDefault(pair => JsonLabels.Text(pair.own, "containerPort") == port);
        return match.container is null ? labels : labels.With(KubernetesTargets.Container(pod, match.container, isInit: false)).With(KubernetesTargets.Port(match.own));
    }
}
