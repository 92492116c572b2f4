using System.Collections.Immutable;
using System.Globalization;
using ActorProfiler.Configuration.Components;
using ActorProfiler.Configuration.Decoding;
using ActorProfiler.Http;
using ActorProfiler.Labels;

namespace ActorProfiler.Collector.Targets.Discovery.Docker;

/// <summary><c>discovery.dockerswarm</c>: the tasks, services or nodes of a swarm.</summary>
internal sealed record DockerSwarmDiscovery : IDiscovery
{
    public static readonly IComponentType Type = DiscoveryExports.Of(new ComponentType<DockerSwarmDiscovery>(
        "discovery.dockerswarm",
        "Finds the tasks, services or nodes of a Docker swarm. Only tasks name containers.",
        HttpClientSchema.AddTo(
            new BlockSchema<DockerSwarmDiscovery>(() => new(), LabelRule.Required)
                .Required("host", ArgumentTypes.Parsed("string", DockerApi.Host, text => text), (options, value) => options with { Host = value }, "Address of the daemon of a manager.")
                .Required("role", ArgumentTypes.Parsed("string", ParseRole, text => text), (options, value) => options with { Role = value }, "`tasks`, `services` or `nodes`.")
                .Optional("port", ArgumentTypes.Integer(1, 65535), options => options.Port, (options, value) => options with { Port = value }, "Port in `__address__` of what has none.")
                .Optional("refresh_interval", DiscoveryExports.Interval, options => options.RefreshInterval, (options, value) => options with { RefreshInterval = value }, "How often they are listed.")
                .Blocks("filter", DockerFilter.Schema, (options, filters) => options with { Filters = [.. filters] }, "Which of them are listed."),
            options => options.Http,
            (options, http) => options with { Http = http })));

    public string Host { get; init; } = "";

    public string Role { get; init; } = "";

    public int Port { get; init; } = 80;

    public TimeSpan RefreshInterval { get; init; } = TimeSpan.FromSeconds(60);

    public ImmutableArray<DockerFilter> Filters { get; init; } = [];

    public HttpClientOptions Http { get; init; } = new();

    public IAsyncEnumerable<ImmutableArray<LabelSet>> FindAsync(TimeProvider clock, CancellationToken cancellation) =>
        Polling.EveryAsync(RefreshInterval, () => new DockerApi(Host, Http, clock), ListAsync, clock, cancellation);

    internal async Task<ImmutableArray<LabelSet>> ListAsync(DockerApi api, CancellationToken cancellation)
    {
        var listed = await api.ListAsync(Role, DockerFilter.AsQuery(Filters), cancellation).ConfigureAwait(false);
        var port = Port.ToString(CultureInfo.InvariantCulture);
        if (Role == "nodes")
        {
            return [.. listed.Select(node => LabelSet.From(SwarmLabels.OfNode(node, isNodeRole: true)).With("__address__", JsonLabels.Address(JsonLabels.Text(node, "Status", "Addr"), port)))];
        }

        var networks = await DockerNetworks.LabelsAsync(api, SwarmLabels.Prefix + "network_", cancellation).ConfigureAwait(false);
        if (Role == "services")
        {
            return [.. listed.SelectMany(service => SwarmLabels.Services(service, networks, port))];
        }

        var services = (await api.ListAsync("services", DockerFilter.None, cancellation).ConfigureAwait(false)).ToDictionary(service => JsonLabels.Text(service, "ID"), StringComparer.Ordinal);
        var nodes = (await api.ListAsync("nodes", DockerFilter.None, cancellation).ConfigureAwait(false)).ToDictionary(node => JsonLabels.Text(node, "ID"), StringComparer.Ordinal);
        return
        [
            .. listed.SelectMany(task => SwarmLabels.Tasks(
                task, services.GetValueOrDefault(JsonLabels.Text(task, "ServiceID")), nodes.GetValueOrDefault(JsonLabels.Text(task, "NodeID")), networks, port)),
        ];
    }

    private static string ParseRole(string role) =>
        role is "tasks" or "services" or "nodes" ? role : throw new FormatException($"invalid role {role}, expected tasks, services, or nodes");
}
