using System.Net;
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

    /// <summary>The configuration file; null for the one that is part of the program.</summary>
    public string? ConfigPath { get; init; }

    /// <summary>Certificates between collectors and aggregators; null: none of both is beyond loopback, or the user wants plaintext.</summary>
    public TlsPaths? Tls { get; init; }

    /// <summary>Collectors and aggregators may talk over a network without TLS.</summary>
    public bool AllowsPlaintext { get; init; }

    public bool RunsCollector => Role is Role.All or Role.Collector;

    public bool RunsAggregator => Role is Role.All or Role.Aggregator;
}

/// <summary>PEM files: the fleet's authority, this node's certificate, its key.</summary>
internal sealed record TlsPaths(string Ca, string Certificate, string Key);
