using System.Net;
using ActorProfiler.Collector.Sampling;
using ActorProfiler.Telemetry;

namespace ActorProfiler.Commands.Run;

/// <summary>Which parts of the program run in this process.</summary>
internal enum Role
{
    /// <summary>Collector and aggregator, joined in memory: nothing but the page listens.</summary>
    All,
    Collector,
    Aggregator,
}

/// <summary>What <c>actorprofiler run</c> was told.</summary>
internal sealed record RunOptions
{
    public Role Role { get; init; }

    /// <summary>Page, metrics and health.</summary>
    public required IPEndPoint Http { get; init; }

    public required string DataFolder { get; init; }

    public required LogFormat LogFormat { get; init; }

    public required SamplingOptions Sampling { get; init; }

    public required TimeSpan CollectInterval { get; init; }

    /// <summary>Collector role: where the aggregators take batches.</summary>
    public IReadOnlyList<Uri> Aggregators { get; init; } = [];

    /// <summary>Aggregator role: where collectors connect.</summary>
    public required IPEndPoint Ingest { get; init; }

    /// <summary>Aggregator role: <c>host:port</c> others reach this node by; null = a single node.</summary>
    public string? ClusterAddress { get; init; }

    /// <summary>Aggregator role: <c>host:port</c> of all aggregators.</summary>
    public IReadOnlyList<string> ClusterSeeds { get; init; } = [];

    /// <summary>Pyroscope servers to push to.</summary>
    public IReadOnlyList<Uri> Destinations { get; init; } = [];

    /// <summary>Certificates between collectors and aggregators; null: none of both is beyond loopback, or the user wants plaintext.</summary>
    public TlsPaths? Tls { get; init; }

    public TimeSpan Window { get; init; } = TimeSpan.FromSeconds(15);

    public bool RunsCollector => Role is Role.All or Role.Collector;

    public bool RunsAggregator => Role is Role.All or Role.Aggregator;
}

/// <summary>PEM files: the fleet's authority, this node's certificate, its key.</summary>
internal sealed record TlsPaths(string Ca, string Certificate, string Key);
