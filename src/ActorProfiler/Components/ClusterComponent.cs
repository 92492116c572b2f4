using System.Collections.Immutable;
using System.Net;
using ActorProfiler.Aggregator.Ingest;
using ActorProfiler.Aggregator.Peers;
using ActorProfiler.Commands.Run;
using ActorProfiler.Configuration.Components;
using ActorProfiler.Configuration.Decoding;
using ActorProfiler.Configuration.Syntax;
using ActorProfiler.Labels;

namespace ActorProfiler.Commands.Components;

/// <summary><c>cluster</c>: how the processes of a fleet find and trust each other. Lists of addresses take effect at once, the rest when the process starts.</summary>
internal sealed record ClusterComponent
{
    public const int DefaultPort = 4053;

    public static readonly IComponentType Type = new ComponentType<ClusterComponent>(
        "cluster",
        "How collectors and aggregators find each other. Without it, both run in one process. Changed lists of addresses take effect at once, the rest when the process starts.",
        new BlockSchema<ClusterComponent>(() => new())
            .Optional("aggregators", ArgumentTypes.List(ArgumentTypes.Parsed("string", Aggregator, url => url.Authority)), options => options.Aggregators, (options, value) => options with { Aggregators = value }, "Collectors: `host:port` of each aggregator; the first that answers is used, the others when it fails. A name stands for all its addresses, which are looked up anew every 30 s.")
            .Optional("aggregator_targets", ArgumentTypes.Targets, options => [], (options, value) => options with { AggregatorTargets = value }, "Collectors: further aggregators, the `__address__` of each of these targets, as a `discovery.*` block exports them: for example of the pods of an aggregator, with a port of " + DefaultPort + ".")
            .Optional("listen", ArgumentTypes.Parsed("string", Endpoint, address => address.ToString()), options => options.Listen, (options, value) => options with { Listen = value }, "Aggregators: where collectors connect.")
            .Optional("address", ArgumentTypes.Parsed("string", HostPort, text => text), options => options.Address, (options, value) => options with { Address = value }, "Aggregators: `host:port` the others reach this one by; without it, it runs alone.")
            .Optional("seeds", ArgumentTypes.List(ArgumentTypes.Parsed("string", HostPort, text => text)), options => options.Seeds, (options, value) => options with { Seeds = value }, "Aggregators: `host:port` of all aggregators, the same list in the same order on each. Take one out that will not come back: batches it may hold are waited for no longer.")
            .Optional("peers", ArgumentTypes.List(ArgumentTypes.Parsed("string", HostPort, text => text)), options => options.Peers, (options, value) => options with { Peers = value }, "Aggregators, instead of `seeds`: `host:port` of names that stand for the addresses of all aggregators, such as that of a headless service. They are looked up anew every 30 s. `address` is then the address, not a name, of this one.")
            .Optional("peer_targets", ArgumentTypes.Targets, options => [], (options, value) => options with { PeerTargets = value }, "Aggregators, instead of `seeds`: the `__address__` of each of these targets that has the port of `address` is one, as a `discovery.*` block exports them: for example of the pods of the aggregators. A `selectors` block for pods makes it ask beyond its own node.")
            .Optional("peers_expected", ArgumentTypes.Integer(0, 1000), options => options.PeersExpected, (options, value) => options with { PeersExpected = value }, "Aggregators: how many there are to be; required for `peers` and `peer_targets`. Those that start together make one cluster when a majority of so many has found each other.")
            .Block("tls", FleetTlsFiles.Schema, (options, value) => options with { Tls = value }, "Certificates between collectors and aggregators; `--tls.dir` comes first.")
            .Block("quota", Quota, (options, value) => options with { Quotas = value }, "Aggregators: what each collector may send; what is beyond it is sent again later. 0 is without bound.")
            .Check(Check))
    {
        Most = 1,
    };

    private static BlockSchema<QuotaOptions> Quota => new BlockSchema<QuotaOptions>(() => new())
        .Optional("ticks_per_second", ArgumentTypes.Long(0), options => options.TicksPerSecond, (options, value) => options with { TicksPerSecond = value }, "Samples, before any keep rate.")
        .Optional("bytes_per_second", ArgumentTypes.Long(0), options => options.BytesPerSecond, (options, value) => options with { BytesPerSecond = value }, "Bytes of payload, compressed.")
        .Optional("stacks_per_second", ArgumentTypes.Long(0), options => options.StacksPerSecond, (options, value) => options with { StacksPerSecond = value }, "Distinct stacks of the batches.")
        .Optional("series", ArgumentTypes.Long(0), options => options.Series, (options, value) => options with { Series = value }, "Different label sets within ten minutes.");

    public ImmutableArray<Uri> Aggregators { get; init; } = [];

    /// <summary>Null: there is no such argument.</summary>
    public ImmutableArray<LabelSet>? AggregatorTargets { get; init; }

    /// <summary>Null: no block of it.</summary>
    public FleetTlsFiles? Tls { get; init; }

    public QuotaOptions Quotas { get; init; } = new();

    public IPEndPoint Listen { get; init; } = new(IPAddress.Loopback, DefaultPort);

    /// <summary>Null: a single node.</summary>
    public string? Address { get; init; }

    public ImmutableArray<string> Seeds { get; init; } = [];

    public ImmutableArray<string> Peers { get; init; } = [];

    /// <summary>Null: there is no such argument.</summary>
    public ImmutableArray<LabelSet>? PeerTargets { get; init; }

    public int PeersExpected { get; init; }

    public bool SearchesPeers => !Peers.IsEmpty || PeerTargets is not null;

    /// <summary>Where aggregators look for each other.</summary>
    public PeerSources PeerSources => new(Peers, [.. (PeerTargets ?? []).Select(target => target["__address__"]).Where(IsHostPort).Where(found => PortOf(found) == PortOf(Address ?? found)).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)]);

    /// <summary>Whether all is the same that is read at the start.</summary>
    public bool IsAs(ClusterComponent other) => (SearchesPeers, PeersExpected) == (other.SearchesPeers, other.PeersExpected) && Listen.Equals(other.Listen) && Address == other.Address && Tls == other.Tls && Quotas == other.Quotas;

    /// <summary>The aggregators as collectors connect to them.</summary>
    public IReadOnlyList<Uri> Urls(bool withTls) =>
        [.. Aggregators.Concat(Discovered()).Select(url => new UriBuilder(url) { Scheme = withTls ? "https" : "http" }.Uri).Distinct()];

    // What another program says is not an error of the file: a target without a sound address is none.
    private IEnumerable<Uri> Discovered() =>
        (AggregatorTargets ?? []).Select(target => Uri.TryCreate($"http://{target["__address__"]}", UriKind.Absolute, out var url) && !url.IsDefaultPort ? url : null).OfType<Uri>();

    /// <summary>Why a process of this role cannot run so, or null.</summary>
    public string? Problem(Role role, bool hasTls, bool allowsPlaintext)
    {
        if (role == Role.Collector && Aggregators.IsEmpty && AggregatorTargets is null)
        {
            return $"--role collector needs a cluster block with aggregators = [\"host:{DefaultPort}\"]";
        }

        var leavesHost = role switch
        {
            Role.Collector => AggregatorTargets is not null || Aggregators.Any(url => !url.IsLoopback),
            Role.Aggregator => !IPAddress.IsLoopback(Listen.Address)
                || PeerTargets is not null || Seeds.Concat(Peers).Concat(Address is null ? [] : [Address]).Any(node => !(Uri.TryCreate($"tcp://{node}", UriKind.Absolute, out var url) && url.IsLoopback)),
            _ => false,
        };
        return leavesHost && !hasTls && Tls is null && !allowsPlaintext
            ? "collectors and aggregators talk over a network here: give --tls.dir ('actorprofiler tls init' makes it) or a tls block in cluster, or allow --insecure-plaintext"
            : null;
    }

    private static Uri Aggregator(string text)
    {
        var url = text.Contains("://", StringComparison.Ordinal) ? text : $"http://{HostPort(text)}";
        return Uri.TryCreate(url, UriKind.Absolute, out var parsed) && parsed.Scheme is "http" or "https" && parsed.Host.Length > 0
            ? parsed
            : throw new FormatException($"{StringText.Quote(text)} is no address such as \"aggregator-0:4053\"");
    }

    private static void Check(ClusterComponent options)
    {
        var problem = !options.SearchesPeers ? options.PeersExpected > 0 ? "peers_expected is for peers and peer_targets" : ""
            : !options.Seeds.IsEmpty ? "either seeds or peers and peer_targets, not both"
            : options.Address is null ? "peers and peer_targets need address, by which the other aggregators reach this one"
            : options.PeersExpected == 0 ? "peers and peer_targets need peers_expected = N, the number of aggregators: those that start together make one cluster when a majority of them has found each other"
            : "";
        if (problem.Length > 0)
        {
            throw new FormatException(problem);
        }
    }

    private static string PortOf(string text) => text[(text.LastIndexOf(':') + 1)..];

    private static bool IsHostPort(string text) => text.LastIndexOf(':') is > 0 and var colon && ushort.TryParse(text.AsSpan(colon + 1), out _);

    private static string HostPort(string text) =>
        IsHostPort(text)
            ? text
            : throw new FormatException($"{StringText.Quote(text)} is no address such as \"aggregator-0:4053\"");

    private static IPEndPoint Endpoint(string text) =>
        IPEndPoint.TryParse(HostPort(text.StartsWith("localhost:", StringComparison.Ordinal) ? "127.0.0.1" + text["localhost".Length..] : text), out var address)
            ? address
            : throw new FormatException($"{StringText.Quote(text)} is no address to listen on, such as \"0.0.0.0:4053\"");
}
