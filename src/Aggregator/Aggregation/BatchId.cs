using ActorProfiler.Protocol;

namespace ActorProfiler.Aggregator.Aggregation;

/// <summary>Identity of one batch: unique for ever, the same in every resend.</summary>
internal readonly record struct BatchId(Guid Collector, ulong Epoch, ulong Sequence)
{
    /// <summary>Length of a collector id.</summary>
    public const int CollectorBytes = 16;

    public static BatchId Of(WhoHolds question) => new(new Guid(question.CollectorId.Span), question.Epoch, question.Sequence);

    public static BatchId Of(Holds answer) => new(new Guid(answer.CollectorId.Span), answer.Epoch, answer.Sequence);

    /// <param name="submit">Its collector id has <see cref="CollectorBytes"/> bytes.</param>
    public static BatchId Of(Submit submit) => new(new Guid(submit.CollectorId.Span), submit.Epoch, submit.Sequence);
}
