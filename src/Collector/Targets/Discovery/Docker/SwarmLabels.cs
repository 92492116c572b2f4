using System.Text.Json.Nodes;
using ActorProfiler.Labels;

namespace ActorProfiler.Collector.Targets.Discovery.Docker;

/// <summary>The labels of what is in a swarm.</summary>
/// <remarks>https://prometheus.io/docs/prometheus/latest/configuration/configuration/#dockerswarm_sd_config</remarks>
internal static class SwarmLabels
{
    public const string Prefix = "__meta_dockerswarm_";

    private const string Address = "__address__";

    /// <param name="isNodeRole">Adds what tasks do not say of their node.</param>
    public static Dictionary<string, string> OfNode(JsonNode? node, bool isNodeRole)
    {
        if (node is null)
        {
            return [];
        }

        var labels = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [Prefix + "node_address"] = JsonLabels.Text(node, "Status", "Addr"),
            [Prefix + "node_availability"] = JsonLabels.Text(node, "Spec", "Availability"),
            [Prefix + "node_hostname"] = JsonLabels.Text(node, "Description", "Hostname"),
            [Prefix + "node_id"] = JsonLabels.Text(node, "ID"),
            [Prefix + "node_platform_architecture"] = JsonLabels.Text(node, "Description", "Platform", "Architecture"),
            [Prefix + "node_platform_os"] = JsonLabels.Text(node, "Description", "Platform", "OS"),
            [Prefix + "node_role"] = JsonLabels.Text(node, "Spec", "Role"),
            [Prefix + "node_status"] = JsonLabels.Text(node, "Status", "State"),
        };
        if (isNodeRole)
        {
            labels[Prefix + "node_engine_version"] = JsonLabels.Text(node, "Description", "Engine", "EngineVersion");
        }

        if (isNodeRole && node["ManagerStatus"] is JsonObject manager)
        {
            labels[Prefix + "node_manager_address"] = JsonLabels.Text(manager, "Addr");
            labels[Prefix + "node_manager_leader"] = JsonLabels.Text(manager, "Leader") is { Length: > 0 } leader ? leader : "false";
            labels[Prefix + "node_manager_reachability"] = JsonLabels.Text(manager, "Reachability");
        }

        JsonLabels.AddAll(labels, Prefix + "node_label_", node["Spec"]?["Labels"]);
        return labels;
    }

    /// <summary>One target for each virtual address and published TCP port, or address without ports.</summary>
    public static IEnumerable<LabelSet> Services(JsonNode service, Dictionary<string, Dictionary<string, string>> networks, string port)
    {
        var common = OfService(service);
        var container = service["Spec"]?["TaskTemplate"]?["ContainerSpec"];
        common[Prefix + "service_task_container_hostname"] = JsonLabels.Text(container, "Hostname");
        common[Prefix + "service_task_container_image"] = JsonLabels.Text(container, "Image");
        common[Prefix + "service_updating_status"] = JsonLabels.Text(service, "UpdateStatus", "State");
        foreach (var endpoint in JsonLabels.Items(service["Endpoint"]?["VirtualIPs"]))
        {
            var labels = LabelSet.From(common).With(LabelSet.From(networks.GetValueOrDefault(JsonLabels.Text(endpoint, "NetworkID"), [])));
            var ip = JsonLabels.Text(endpoint, "Addr").Split('/')[0];
            if (ip.Length == 0)
            {
                yield return labels; // in the network of its hosts
                continue;
            }

            var ports = TcpPorts(service["Endpoint"]?["Ports"]);
            foreach (var published in ports)
            {
                yield return labels.With(LabelSet.Of(
                    (Prefix + "service_endpoint_port_name", JsonLabels.Text(published, "Name")),
                    (Prefix + "service_endpoint_port_publish_mode", JsonLabels.Text(published, "PublishMode")),
                    (Address, JsonLabels.Address(ip, JsonLabels.Text(published, "PublishedPort")))));
            }

            if (ports.Count == 0)
            {
                yield return labels.With(Address, JsonLabels.Address(ip, port));
            }
        }
    }

    /// <summary>One target for each published TCP port of a task and each of its addresses; one for a task with neither.</summary>
    public static IEnumerable<LabelSet> Tasks(JsonNode task, JsonNode? service, JsonNode? node, Dictionary<string, Dictionary<string, string>> networks, string port)
    {
        var common = OfNode(node, isNodeRole: false);
        foreach (var (name, value) in service is null ? [] : OfService(service))
        {
            common[name] = value;
        }

        common[Prefix + "task_id"] = JsonLabels.Text(task, "ID");
        common[Prefix + "task_container_id"] = JsonLabels.Text(task, "Status", "ContainerStatus", "ContainerID");
        common[Prefix + "task_desired_state"] = JsonLabels.Text(task, "DesiredState");
        common[Prefix + "task_slot"] = JsonLabels.Text(task, "Slot") is { Length: > 0 } slot ? slot : "0";
        common[Prefix + "task_state"] = JsonLabels.Text(task, "Status", "State");
        JsonLabels.AddAll(common, Prefix + "container_label_", task["Spec"]?["ContainerSpec"]?["Labels"]);
        var labels = LabelSet.From(common);
        List<LabelSet> targets =
        [
            .. TcpPorts(task["Status"]?["PortStatus"]?["Ports"]).Select(published => Published(labels, published, labels[Prefix + "node_address"])),
            .. JsonLabels.Items(task["NetworksAttachments"]).SelectMany(attachment => Attached(labels, attachment, service, networks, port)),
        ];
        return targets.Count > 0 ? targets : [labels];
    }

    private static IEnumerable<LabelSet> Attached(
        LabelSet common, JsonNode attachment, JsonNode? service, Dictionary<string, Dictionary<string, string>> networks, string port)
    {
        var labels = common.With(LabelSet.From(networks.GetValueOrDefault(JsonLabels.Text(attachment, "Network", "ID"), [])));
        var ports = TcpPorts(service?["Endpoint"]?["Ports"]);
        foreach (var ip in JsonLabels.Items(attachment["Addresses"]).Select(address => JsonLabels.Text(address).Split('/')[0]))
        {
            foreach (var published in ports)
            {
                yield return Published(labels, published, ip);
            }

            if (ports.Count == 0)
            {
                yield return labels.With(Address, JsonLabels.Address(ip, port));
            }
        }
    }

    private static LabelSet Published(LabelSet labels, JsonNode port, string ip) => labels.With(LabelSet.Of(
        (Prefix + "task_port_publish_mode", JsonLabels.Text(port, "PublishMode")),
        (Address, JsonLabels.Address(ip, JsonLabels.Text(port, "PublishedPort")))));

    private static Dictionary<string, string> OfService(JsonNode service)
    {
        var mode = service["Spec"]?["Mode"] as JsonObject;
        var labels = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [Prefix + "service_id"] = JsonLabels.Text(service, "ID"),
            [Prefix + "service_name"] = JsonLabels.Text(service, "Spec", "Name"),
            [Prefix + "service_mode"] = mode?["Replicated"] is not null ? "replicated" : mode?["Global"] is not null ? "global" : "",
        };
        JsonLabels.AddAll(labels, Prefix + "service_label_", service["Spec"]?["Labels"]);
        return labels;
    }

    private static List<JsonNode> TcpPorts(JsonNode? ports) => [.. JsonLabels.Items(ports).Where(port => JsonLabels.Text(port, "Protocol") == "tcp")];
}
