using System.Collections.Immutable;
using ActorProfiler.Labels;
using ActorProfiler.Protocol;

namespace ActorProfiler.Aggregator.Aggregation;

/// <summary>A closed window on its way to the encoder, then to the outbox.</summary>
internal sealed record WindowClosed(LabelSet Labels, MergedProfile Profile, ImmutableArray<BatchId> Batches);

/// <summary>These batches are on disk.</summary>
internal sealed record BatchesStored(ImmutableArray<BatchId> Batches);

/// <summary>These batches were lost after their window closed, because of a bug; their collectors are told, so that none sends them for ever.</summary>
internal sealed record BatchesLost(ImmutableArray<BatchId> Batches, string Reason);

/// <summary>A batch whose payload breaks the protocol.</summary>
internal sealed record BatchRefused(BatchId Batch, string Message);

/// <summary>One batch for a series.</summary>
internal sealed record AddBatch(BatchId Id, Submit Submit);

/// <summary>Closes the open window now.</summary>
internal sealed record CloseWindow
{
    public static readonly CloseWindow Instance = new();
}

/// <summary>Nothing came for a while; the parent may stop the series.</summary>
internal sealed record SeriesIdle(LabelSet Labels);

/// <summary>Closes every window and takes no more batches. <see cref="Drained"/> comes back when all of them are on disk.</summary>
internal sealed record Drain
{
    public static readonly Drain Instance = new();
}

internal sealed record Drained
{
    public static readonly Drained Instance = new();
}

/// <summary>Windows that open from now on stay open this long.</summary>
internal sealed record SetWindow(TimeSpan Length);
