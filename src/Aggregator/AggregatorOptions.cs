using ActorProfiler.Aggregator.Destinations;
using ActorProfiler.Aggregator.Ingest;
using ActorProfiler.Aggregator.Peers;
using ActorProfiler.Telemetry;
using Prometheus;

namespace ActorProfiler.Aggregator;

/// <summary>What an aggregator is started with.</summary>
/// <param name="DataFolder">Of the outbox and the dead letters; made when missing. One process at a time.</param>
internal sealed record AggregatorOptions(string DataFolder)
{
    /// <summary>How long the batches of a series are merged into one profile.</summary>
    public TimeSpan Window { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Every one gets every profile. The aggregator disposes those that are disposable.</summary>
    public IReadOnlyList<DestinationSetup> Destinations { get; init; } = [];

    /// <summary>Null: this aggregator is alone and its actor system has no remoting.</summary>
    public ClusterOptions? Cluster { get; init; }

    /// <summary>Payload a collector's stream may have unanswered.</summary>
    public long CreditBytes { get; init; } = 4 << 20;

    /// <summary>Of each collector.</summary>
    public QuotaOptions Quota { get; init; } = new();

    /// <summary>Older profiles are dropped; a server takes nothing older than an hour.</summary>
    public TimeSpan MaxAge { get; init; } = TimeSpan.FromMinutes(55);

    /// <summary>Bound of the outbox.</summary>
    public long MaxBytes { get; init; } = 1L << 30;

    /// <summary>How often the outbox looks for what is over its bounds.</summary>
    public TimeSpan SweepEvery { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a stop waits for destinations; what they have not taken stays in the outbox.</summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Where the aggregator says what is wrong with it.</summary>
    public Health Health { get; init; } = new();

    public IMetricFactory Metrics { get; init; } = Prometheus.Metrics.DefaultFactory;

    public TimeProvider Clock { get; init; } = TimeProvider.System;
}

/// <summary>A destination and how to try.</summary>
internal sealed record DestinationSetup(IDestination Destination, DestinationOptions Options)
{
    public static DestinationSetup Pyroscope(PyroscopeWriteOptions options, TimeProvider clock) =>
        new(new PyroscopeDestination(options, clock), options.Delivery);
}

/// <summary>How an aggregator finds the others.</summary>
/// <param name="Host">Name or address others reach this node by.</param>
/// <param name="Port">0 is any free one.</param>
/// <param name="Seeds"><c>host:port</c> of all aggregators, the same list in the same order on each; empty for one that others will join.</param>
internal sealed record ClusterOptions(string Host, int Port, IReadOnlyList<string> Seeds)
{
    /// <summary>How long the first of the list waits for an answer of the others before it makes a cluster alone. Too short, and a busy machine makes two clusters.</summary>
    public TimeSpan SeedTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>In place of <see cref="Seeds"/>, which are empty then.</summary>
    public PeerSearch? Search { get; init; }
}
