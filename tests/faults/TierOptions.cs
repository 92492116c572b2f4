namespace ActorProfiler.Tests.Faults;

/// <summary>What a tier of a test is made of.</summary>
internal sealed record TierOptions
{
    public int Nodes { get; init; } = 1;

    public int Destinations { get; init; } = 1;

    public int SeriesPerCollector { get; init; } = 4;

    public TimeSpan Window { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Further arguments of every endpoint, a line each.</summary>
    public string Endpoint { get; init; } = "";

    /// <summary>Further text of the cluster block.</summary>
    public string Cluster { get; init; } = "";

    /// <summary>What is pushed to, when not the destinations themselves.</summary>
    public Func<Tier, IReadOnlyList<string>>? Urls { get; init; }

    /// <summary>A program in front of each aggregator's command line.</summary>
    public string[] Launcher { get; init; } = [];

    /// <summary>A program in front of all of that, on the host.</summary>
    public string[] Outside { get; init; } = [];

    /// <summary>Called before the aggregators start.</summary>
    public Action<Tier> Prepare { get; init; } = _ => { };
}
