using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Nodes;
using ActorProfiler.Configuration.Components;
using ActorProfiler.Configuration.Decoding;
using ActorProfiler.Http;
using ActorProfiler.Labels;

namespace ActorProfiler.Collector.Targets.Discovery.Docker;

/// <summary><c>discovery.docker</c>: the containers of a Docker daemon.</summary>
/// <remarks>Labels: https://prometheus.io/docs/prometheus/latest/configuration/configuration/#docker_sd_config.</remarks>
internal sealed record DockerDiscovery : IDiscovery
{
    private const string Prefix = "__meta_docker_";

    public static readonly IComponentType Type = DiscoveryExports.Of(new ComponentType<DockerDiscovery>(
        "discovery.docker",
        "Finds the containers of a Docker daemon.",
        HttpClientSchema.AddTo(
            new BlockSchema<DockerDiscovery>(() => new(), LabelRule.Required)
                .Required("host", ArgumentTypes.Parsed("string", DockerApi.Host, text => text), (options, value) => options with { Host = value }, "Address of the daemon, such as `unix:///var/run/docker.sock`.")
                .Optional("port", ArgumentTypes.Integer(1, 65535), options => options.Port, (options, value) => options with { Port = value }, "Port in `__address__` of containers that have none.")
                .Optional("host_networking_host", ArgumentTypes.Text, options => options.HostNetworkingHost, (options, value) => options with { HostNetworkingHost = value }, "Host in `__address__` of containers in the host's network.")
                .Optional("match_first_network", ArgumentTypes.Bool, options => options.MatchFirstNetwork, (options, value) => options with { MatchFirstNetwork = value }, "Of several networks of a container takes the first by name.")
                .Optional("refresh_interval", DiscoveryExports.Interval, options => options.RefreshInterval, (options, value) => options with { RefreshInterval = value }, "How often containers are listed.")
                .Blocks("filter", DockerFilter.Schema, (options, filters) => options with { Filters = [.. filters] }, "Which containers are listed."),
            options => options.Http,
            (options, http) => options with { Http = http })));

    public string Host { get; init; } = "";

    public int Port { get; init; } = 80;

    public string HostNetworkingHost { get; init; } = "localhost";

    public bool MatchFirstNetwork { get; init; } = true;

    public TimeSpan RefreshInterval { get; init; } = TimeSpan.FromMinutes(1);

    public ImmutableArray<DockerFilter> Filters { get; init; } = [];

    public HttpClientOptions Http { get; init; } = new();

    public IAsyncEnumerable<ImmutableArray<LabelSet>> FindAsync(TimeProvider clock, CancellationToken cancellation) =>
        Polling.EveryAsync(RefreshInterval, () => new DockerApi(Host, Http, clock), ListAsync, clock, cancellation);

    internal async Task<ImmutableArray<LabelSet>> ListAsync(DockerApi api, CancellationToken cancellation)
    {
        var networks = await DockerNetworks.LabelsAsync(api, Prefix + "network_", cancellation).ConfigureAwait(false);
        var containers = await api.ListAsync("containers/json", DockerFilter.AsQuery(Filters), cancellation).ConfigureAwait(false);
        var byId = containers.GroupBy(container => JsonLabels.Text(container, "Id")).ToDictionary(group => group.Key, group => group.First(), StringComparer.Ordinal);
        return [.. containers.SelectMany(container => Targets(container, byId, networks))];
    }

    /// <summary>One target for each network and published or exposed TCP port; one for a network without ports, and one for a container without networks.</summary>
    private IEnumerable<LabelSet> Targets(JsonNode container, Dictionary<string, JsonNode> byId, Dictionary<string, Dictionary<string, string>> networks)
    {
        var name = JsonLabels.Text(JsonLabels.Items(container["Names"]).FirstOrDefault());
        if (name.Length == 0)
        {
            yield break;
        }

        var mode = JsonLabels.Text(container, "HostConfig", "NetworkMode");
        var common = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [Prefix + "container_id"] = JsonLabels.Text(container, "Id"),
            [Prefix + "container_name"] = name,
            [Prefix + "container_network_mode"] = mode,
            [Prefix + "container_image"] = JsonLabels.Text(container, "Image"),
            [Prefix + "container_image_id"] = JsonLabels.Text(container, "ImageID"),
        };
        JsonLabels.AddAll(common, Prefix + "container_label_", container["Labels"]);
        var attached = NetworksOf(container, mode, byId);
        if (attached.Count == 0)
        {
            yield return LabelSet.From(common);
        }

        foreach (var network in attached)
        {
            var labels = new Dictionary<string, string>(common, StringComparer.Ordinal);
            foreach (var (label, value) in networks.GetValueOrDefault(JsonLabels.Text(network, "NetworkID"), []))
            {
                labels[label] = value;
            }

            var ip = JsonLabels.Text(network, "IPAddress") is { Length: > 0 } fourth ? fourth : JsonLabels.Text(network, "GlobalIPv6Address");
            labels[Prefix + "network_ip"] = ip;
            var ports = JsonLabels.Items(container["Ports"]).Where(port => JsonLabels.Text(port, "Type") == "tcp").ToList();
            foreach (var port in ports)
            {
                yield return LabelSet.From(labels).With(PortLabels(ip, port));
            }

            if (ports.Count == 0)
            {
                yield return LabelSet.From(labels).With("__address__", mode == "host" ? HostNetworkingHost : JsonLabels.Address(ip, Port.ToString(CultureInfo.InvariantCulture)));
            }
        }
    }

    /// <summary>Those it is attached to; for a container that shares another's network, that one's.</summary>
    private List<JsonNode> NetworksOf(JsonNode container, string mode, Dictionary<string, JsonNode> byId)
    {
        const string OfContainer = "container:";
        var networks = container["NetworkSettings"]?["Networks"] as JsonObject;
        for (var hops = 0; networks is null or { Count: 0 } && hops < byId.Count && mode.StartsWith(OfContainer, StringComparison.Ordinal) && byId.TryGetValue(mode[OfContainer.Length..], out var other); hops++)
        {
            (networks, mode) = (other["NetworkSettings"]?["Networks"] as JsonObject, JsonLabels.Text(other, "HostConfig", "NetworkMode"));
        }

        var sorted = (networks ?? []).OrderBy(network => network.Key, StringComparer.Ordinal).Select(network => network.Value).OfType<JsonNode>().ToList();
        return MatchFirstNetwork ? [.. sorted.Take(1)] : sorted;
    }

    private static LabelSet PortLabels(string ip, JsonNode port)
    {
        var (inside, outside) = (JsonLabels.Text(port, "PrivatePort"), JsonLabels.Text(port, "PublicPort"));
        return LabelSet.Of(
            (Prefix + "port_private", inside),
            (Prefix + "port_public", outside),
            (Prefix + "port_public_ip", outside.Length > 0 ? JsonLabels.Text(port, "IP") : ""),
            ("__address__", JsonLabels.Address(ip, inside)));
    }
}
