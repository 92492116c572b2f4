using ActorProfiler.Protocol;
using Google.Protobuf;

namespace ActorProfiler.Aggregator.Aggregation;

/// <summary>Identity of one batch: unique for ever, the same in every resend.</summary>
internal readonly record struct BatchId(Guid Collector, ulong Epoch, ulong Sequence)
{
    /// <summary>Length of a collector id.</summary>
    public const int CollectorBytes = 16;

    /// <param name="name">Its collector id has <see cref="CollectorBytes"/> bytes.</param>
    public static BatchId Of(BatchName name) => new(new Guid(name.CollectorId.Span), name.Epoch, name.Sequence);

    /// <param name="submit">Its collector id has <see cref="CollectorBytes"/> bytes.</param>
    public static BatchId Of(Submit submit) => new(new Guid(submit.CollectorId.Span), submit.Epoch, submit.Sequence);

    public BatchName ToName() => new() { CollectorId = ByteString.CopyFrom(Collector.ToByteArray()), Epoch = Epoch, Sequence = Sequence };
}
