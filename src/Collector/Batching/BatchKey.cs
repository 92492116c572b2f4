using ActorProfiler.Protocol;

namespace ActorProfiler.Collector.Batching;

/// <summary>Names a batch among those of one collector. Ordered as they were made.</summary>
internal readonly record struct BatchKey(ulong Epoch, ulong Sequence) : IComparable<BatchKey>
{
    public static BatchKey Of(Submit submit) => new(submit.Epoch, submit.Sequence);

    public int CompareTo(BatchKey other) =>
        Epoch == other.Epoch ? Sequence.CompareTo(other.Sequence) : Epoch.CompareTo(other.Epoch);
}
