using ActorProfiler.Labels;
using ActorProfiler.Security;

namespace ActorProfiler.Tests.Faults;

/// <summary>What a minting collector does.</summary>
/// <param name="Addresses">Of aggregators; it starts with any of them.</param>
/// <param name="Series">Its batches go through them in turn.</param>
internal sealed record MintingOptions(IReadOnlyList<Uri> Addresses, IReadOnlyList<LabelSet> Series)
{
    public TimeSpan Every { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>How far its clock is ahead.</summary>
    public TimeSpan ClockAhead { get; init; }

    /// <summary>How old its samples are when it mints them.</summary>
    public TimeSpan TakenAgo { get; init; }

    /// <summary>Null: random.</summary>
    public byte[]? Id { get; init; }

    public TlsFiles? Tls { get; init; }

    /// <summary>Longer than a window.</summary>
    public TimeSpan ResendAfter { get; init; } = TimeSpan.FromSeconds(15);
}
