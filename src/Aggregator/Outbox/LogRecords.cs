using ActorProfiler.Aggregator.Aggregation;
using ActorProfiler.Aggregator.Pprof;
using ActorProfiler.Labels;
using Google.Protobuf;

namespace ActorProfiler.Aggregator.Outbox;

/// <summary>Between the messages of outbox.proto and what the rest of the aggregator knows.</summary>
internal static class LogRecords
{
    // Batches that are carried on keep their time to this; it is short against the time they are remembered.
    private const long CarriedMillis = 600_000;

    public static StoredProfile Of(EncodedProfile profile) => new()
    {
        Labels = ByteString.CopyFrom(LabelBytes.Write(profile.Labels)),
        TimeNanos = (ulong)profile.TimeNanos,
        DurationNanos = profile.DurationNanos,
        Ticks = profile.Ticks,
        Pprof = ByteString.CopyFrom(profile.Pprof.Span),
    };

    public static EncodedProfile Read(StoredProfile profile) => new(
        LabelBytes.Read(profile.Labels.ToByteArray()), (long)profile.TimeNanos, profile.DurationNanos, profile.Ticks, profile.Pprof.Memory);

    public static LabelSet LabelsOf(StoredProfile profile) => LabelBytes.Read(profile.Labels.ToByteArray());

    /// <summary>The times of series that a record speaks of.</summary>
    public static IEnumerable<(ulong Series, long LastMillis)> TimesOf(LogRecord record, SeriesTimes times) =>
        record.Stored is { } stored ? stored.Profiles.SelectMany(profile => times.KeysOf(LabelsOf(profile)).Select(key => (key, (long)profile.TimeNanos / 1_000_000)))
        : record.Carried is { } carried ? carried.Series.Zip(carried.LastUnixMillis)
        : [];

    public static IEnumerable<StoredBatches> Of(IEnumerable<(BatchId Id, long StoredMillis)> batches) =>
        batches.GroupBy(batch => (batch.Id.Collector, batch.Id.Epoch, Bucket: batch.StoredMillis / CarriedMillis)).Select(group =>
        {
            var stored = new StoredBatches
            {
                Collector = ByteString.CopyFrom(group.Key.Collector.ToByteArray()),
                Epoch = group.Key.Epoch,
                StoredUnixMillis = group.Max(batch => batch.StoredMillis),
            };
            var last = 0ul;
            foreach (var sequence in group.Select(batch => batch.Id.Sequence).Distinct().Order())
            {
                stored.SequenceSteps.Add(sequence - last);
                last = sequence;
            }

            return stored;
        });

    public static IEnumerable<(BatchId Id, long StoredMillis)> Read(StoredBatches stored)
    {
        var (collector, sequence) = (new Guid(stored.Collector.Span), 0ul);
        foreach (var step in stored.SequenceSteps)
        {
            sequence = unchecked(sequence + step);
            yield return (new BatchId(collector, stored.Epoch, sequence), stored.StoredUnixMillis);
        }
    }
}
