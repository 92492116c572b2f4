using System.Collections.Immutable;
using System.Text.Json.Nodes;
using ActorProfiler.Labels;

namespace ActorProfiler.Collector.Targets.Discovery.Kubernetes;

/// <summary>Makes targets of the objects of a cluster.</summary>
/// <remarks>https://prometheus.io/docs/prometheus/latest/configuration/configuration/#kubernetes_sd_config</remarks>
internal static class KubernetesTargets
{
    private const string Address = "__address__";

    public static ImmutableArray<LabelSet> Of(string role, KubernetesStore store, KubernetesDiscovery.AttachOptions attach)
    {
        var cluster = new ClusterObjects(store, attach);
        return
        [
            .. role switch
            {
                "pod" => store.Of("pod").SelectMany(pod => Pod(pod, cluster)),
                "node" => store.Of("node").Select(Node).OfType<LabelSet>(),
                "service" => store.Of("service").SelectMany(service => Service(service, cluster)),
                "endpoints" => store.Of("endpoints").SelectMany(endpoints => EndpointTargets.OfEndpoints(endpoints, cluster)),
                "endpointslice" => store.Of("endpointslice").SelectMany(slice => EndpointTargets.OfSlice(slice, cluster)),
                _ => store.Of("ingress").SelectMany(ingress => Ingress(ingress, cluster)),
            },
        ];
    }

    /// <summary>One target for each port of each container, or for a container without ports. None before the pod has its address.</summary>
    private static IEnumerable<LabelSet> Pod(JsonNode pod, ClusterObjects cluster)
    {
        var (ip, node) = (JsonLabels.Text(pod, "status", "podIP"), JsonLabels.Text(pod, "spec", "nodeName"));
        if (ip.Length == 0 || !cluster.Includes(node))
        {
            yield break;
        }

        var common = cluster.InNamespaceOf(pod).With(ClusterObjects.OfPod(pod)).With(cluster.OfNode(node));
        foreach (var (container, isInit) in Containers(pod))
        {
            var labels = common.With(Container(container, isInit)).With("__meta_kubernetes_pod_container_id", IdOf(pod, container, isInit));
            var ports = JsonLabels.Items(container["ports"]).ToList();
            foreach (var port in ports)
            {
                yield return labels.With(Port(port)).With(Address, JsonLabels.Address(ip, JsonLabels.Text(port, "containerPort")));
            }

            if (ports.Count == 0)
            {
                yield return labels.With(Address, ip);
            }
        }
    }

    public static IEnumerable<(JsonNode Container, bool IsInit)> Containers(JsonNode pod) =>
        JsonLabels.Items(pod["spec"]?["containers"]).Select(container => (container, false))
            .Concat(JsonLabels.Items(pod["spec"]?["initContainers"]).Select(container => (container, true)));

    public static LabelSet Container(JsonNode container, bool isInit) => LabelSet.Of(
        ("__meta_kubernetes_pod_container_name", JsonLabels.Text(container, "name")),
        ("__meta_kubernetes_pod_container_image", JsonLabels.Text(container, "image")),
        ("__meta_kubernetes_pod_container_init", isInit ? "true" : "false"));

    private static string IdOf(JsonNode pod, JsonNode container, bool isInit) => JsonLabels.Text(
        JsonLabels.Items(pod["status"]?[isInit ? "initContainerStatuses" : "containerStatuses"]).FirstOrDefault(status => JsonLabels.Text(status, "name") == JsonLabels.Text(container, "name")),
        "containerID");

    public static LabelSet Port(JsonNode port) => LabelSet.Of(
        ("__meta_kubernetes_pod_container_port_name", JsonLabels.Text(port, "name")),
        ("__meta_kubernetes_pod_container_port_number", JsonLabels.Text(port, "containerPort")),
        ("__meta_kubernetes_pod_container_port_protocol", JsonLabels.Text(port, "protocol")));

    /// <summary>Null for a node without an address.</summary>
    private static LabelSet? Node(JsonNode node)
    {
        var labels = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["__meta_kubernetes_node_name"] = JsonLabels.Text(node, "metadata", "name"),
            ["__meta_kubernetes_node_provider_id"] = JsonLabels.Text(node, "spec", "providerID"),
        };
        ClusterObjects.AddMetadata(labels, "__meta_kubernetes_node_", node);
        var addresses = JsonLabels.Items(node["status"]?["addresses"]).Select(address => (Type: JsonLabels.Text(address, "type"), Value: JsonLabels.Text(address, "address"))).ToList();
        foreach (var (type, value) in addresses)
        {
            labels.TryAdd($"__meta_kubernetes_node_address_{type}", value);
        }

        foreach (var condition in JsonLabels.Items(node["status"]?["conditions"]))
        {
            labels[$"__meta_kubernetes_node_condition_{JsonLabels.Text(condition, "type").ToLowerInvariant()}"] = JsonLabels.Text(condition, "status").ToLowerInvariant();
        }

        string[] preferred = ["InternalIP", "InternalDNS", "ExternalIP", "ExternalDNS", "LegacyHostIP", "Hostname"];
        if (preferred.Select(type => addresses.FirstOrDefault(address => address.Type == type).Value).FirstOrDefault(value => !string.IsNullOrEmpty(value)) is not { } ip)
        {
            return null;
        }

        labels[Address] = JsonLabels.Address(ip, JsonLabels.Text(node, "status", "daemonEndpoints", "kubeletEndpoint", "Port") is { Length: > 0 } port ? port : "0");
        labels["instance"] = JsonLabels.Text(node, "metadata", "name");
        return LabelSet.From(labels);
    }

    private static IEnumerable<LabelSet> Service(JsonNode service, ClusterObjects cluster)
    {
        var (name, inNamespace) = (JsonLabels.Text(service, "metadata", "name"), JsonLabels.Text(service, "metadata", "namespace"));
        var type = JsonLabels.Text(service, "spec", "type");
        var labels = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["__meta_kubernetes_service_type"] = type,
            ["__meta_kubernetes_service_cluster_ip"] = type == "ExternalName" ? "" : JsonLabels.Text(service, "spec", "clusterIP"),
            ["__meta_kubernetes_service_external_name"] = type == "ExternalName" ? JsonLabels.Text(service, "spec", "externalName") : "",
            ["__meta_kubernetes_service_loadbalancer_ip"] = type == "LoadBalancer" ? LoadBalancer(service) : "",
        };
        return JsonLabels.Items(service["spec"]?["ports"]).Select(port => cluster.OfService(service).With(LabelSet.From(labels)).With(LabelSet.Of(
            ("__meta_kubernetes_service_port_name", JsonLabels.Text(port, "name")),
            ("__meta_kubernetes_service_port_number", JsonLabels.Text(port, "port")),
            ("__meta_kubernetes_service_port_protocol", JsonLabels.Text(port, "protocol")),
            (Address, $"{name}.{inNamespace}.svc:{JsonLabels.Text(port, "port")}"))));
    }

    /// <summary>The addresses it has, or the one that is wished for.</summary>
    private static string LoadBalancer(JsonNode service)
    {
        var given = JsonLabels.Items(service["status"]?["loadBalancer"]?["ingress"]).Select(ingress => JsonLabels.Text(ingress, "ip")).Where(ip => ip.Length > 0);
        return string.Join(',', given) is { Length: > 0 } all ? all : JsonLabels.Text(service, "spec", "loadBalancerIP");
    }

    private static IEnumerable<LabelSet> Ingress(JsonNode ingress, ClusterObjects cluster)
    {
        var labels = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["__meta_kubernetes_ingress_name"] = JsonLabels.Text(ingress, "metadata", "name"),
            ["__meta_kubernetes_ingress_class_name"] = JsonLabels.Text(ingress, "spec", "ingressClassName"),
        };
        ClusterObjects.AddMetadata(labels, "__meta_kubernetes_ingress_", ingress);
        var common = cluster.InNamespaceOf(ingress).With(LabelSet.From(labels));
        var secured = JsonLabels.Items(ingress["spec"]?["tls"]).SelectMany(tls => JsonLabels.Items(tls["hosts"])).Select(host => JsonLabels.Text(host)).ToList();
        foreach (var rule in JsonLabels.Items(ingress["spec"]?["rules"]))
        {
            var host = JsonLabels.Text(rule, "host");
            var scheme = secured.Exists(pattern => Covers(pattern, host)) ? "https" : "http";
            var paths = JsonLabels.Items(rule["http"]?["paths"]).Select(path => JsonLabels.Text(path, "path") is { Length: > 0 } text ? text : "/");
            foreach (var path in rule["http"] is null ? ["/"] : paths)
            {
                yield return common.With(LabelSet.Of(
                    (Address, host), ("__meta_kubernetes_ingress_scheme", scheme), ("__meta_kubernetes_ingress_host", host), ("__meta_kubernetes_ingress_path", path)));
            }
        }
    }

    /// <summary>A first part <c>*</c> of the pattern stands for any.</summary>
    private static bool Covers(string pattern, string host)
    {
        var (parts, own) = (pattern.Split('.'), host.Split('.'));
        return pattern == host || (parts[0] == "*" && parts.Length == own.Length && parts.AsSpan(1).SequenceEqual(own.AsSpan(1)));
    }
}
