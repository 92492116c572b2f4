using System.Collections.Immutable;
using System.Net;
using ActorProfiler.Commands.Run;
using ActorProfiler.Configuration.Components;
using ActorProfiler.Configuration.Decoding;
using ActorProfiler.Configuration.Syntax;

namespace ActorProfiler.Commands.Components;

/// <summary><c>cluster</c>: how the processes of a fleet find each other. Read once, when the process starts.</summary>
internal sealed record ClusterComponent
{
    public const int DefaultPort = 4053;

    public static readonly IComponentType Type = new ComponentType<ClusterComponent>(
        "cluster",
        "How collectors and aggregators find each other. Without it, both run in one process. Changes take effect when the process starts.",
        new BlockSchema<ClusterComponent>(() => new())
            .Optional("aggregators", ArgumentTypes.List(ArgumentTypes.Parsed("string", Aggregator, url => url.Authority)), options => options.Aggregators, (options, value) => options with { Aggregators = value }, "Collectors: `host:port` of each aggregator; the first that answers is used, the others when it fails. A name may stand for several addresses.")
            .Optional("listen", ArgumentTypes.Parsed("string", Endpoint, address => address.ToString()), options => options.Listen, (options, value) => options with { Listen = value }, "Aggregators: where collectors connect.")
            .Optional("address", ArgumentTypes.Parsed("string", HostPort, text => text), options => options.Address, (options, value) => options with { Address = value }, "Aggregators: `host:port` the others reach this one by; without it, it runs alone.")
            .Optional("seeds", ArgumentTypes.List(ArgumentTypes.Parsed("string", HostPort, text => text)), options => options.Seeds, (options, value) => options with { Seeds = value }, "Aggregators: `host:port` of all aggregators, the same list in the same order on each."))
    {
        Most = 1,
    };

    public ImmutableArray<Uri> Aggregators { get; init; } = [];

    public IPEndPoint Listen { get; init; } = new(IPAddress.Loopback, DefaultPort);

    /// <summary>Null: a single node.</summary>
    public string? Address { get; init; }

    public ImmutableArray<string> Seeds { get; init; } = [];

    /// <summary>Whether all is the same.</summary>
    public bool IsAs(ClusterComponent other) =>
        Aggregators.SequenceEqual(other.Aggregators) && Seeds.SequenceEqual(other.Seeds) && Listen.Equals(other.Listen) && Address == other.Address;

    /// <summary>The aggregators as collectors connect to them.</summary>
    public IReadOnlyList<Uri> Urls(bool withTls) => [.. Aggregators.Select(url => new UriBuilder(url) { Scheme = withTls ? "https" : "http" }.Uri)];

    /// <summary>Why a process of this role cannot run so, or null.</summary>
    public string? Problem(Role role, bool hasTls, bool allowsPlaintext)
    {
        if (role == Role.Collector && Aggregators.IsEmpty)
        {
            return $"--role collector needs a cluster block with aggregators = [\"host:{DefaultPort}\"]";
        }

        var leavesHost = role switch
        {
            Role.Collector => Aggregators.Any(url => !url.IsLoopback),
            Role.Aggregator => !IPAddress.IsLoopback(Listen.Address)
                || Seeds.Concat(Address is null ? [] : [Address]).Any(node => !(Uri.TryCreate($"tcp://{node}", UriKind.Absolute, out var url) && url.IsLoopback)),
            _ => false,
        };
        return leavesHost && !hasTls && !allowsPlaintext
            ? "collectors and aggregators talk over a network here: give --tls.dir ('actorprofiler tls init' makes it), or allow --insecure-plaintext"
            : null;
    }

    private static Uri Aggregator(string text)
    {
        var url = text.Contains("://", StringComparison.Ordinal) ? text : $"http://{HostPort(text)}";
        return Uri.TryCreate(url, UriKind.Absolute, out var parsed) && parsed.Scheme is "http" or "https" && parsed.Host.Length > 0
            ? parsed
            : throw new FormatException($"{StringText.Quote(text)} is no address such as \"aggregator-0:4053\"");
    }

    private static string HostPort(string text) =>
        text.LastIndexOf(':') is > 0 and var colon && ushort.TryParse(text.AsSpan(colon + 1), out _)
            ? text
            : throw new FormatException($"{StringText.Quote(text)} is no address such as \"aggregator-0:4053\"");

    private static IPEndPoint Endpoint(string text) =>
        IPEndPoint.TryParse(HostPort(text.StartsWith("localhost:", StringComparison.Ordinal) ? "127.0.0.1" + text["localhost".Length..] : text), out var address)
            ? address
            : throw new FormatException($"{StringText.Quote(text)} is no address to listen on, such as \"0.0.0.0:4053\"");
}
