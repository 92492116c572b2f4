using System.IO.Hashing;
using System.Runtime.InteropServices;
using ActorProfiler.Labels;
using ActorProfiler.Protocol;
using Google.Protobuf.Collections;

namespace ActorProfiler.Aggregator.Aggregation;

/// <summary>What can be said of a batch without reading its payload.</summary>
internal static class SubmitCheck
{
    /// <summary>Bound of a payload as sent; collectors aim at 16–64 KB.</summary>
    public const int PayloadLimit = 512 << 10;

    /// <summary>Bounds of labels: those of a Pyroscope server.</summary>
    public const int LabelLimit = 30;

    public const int NameLimit = 1024;

    public const int ValueLimit = 2048;

    private const ulong MostTicks = 1ul << 40;

    private const int Overhead = 1024;

    /// <summary>Brotli makes payloads of samples a quarter and less.</summary>
    private const int Expansion = 4;

    /// <summary>Null when the batch may be routed, else what is wrong with it.</summary>
    /// <param name="submit">From a collector, so anything.</param>
    /// <param name="collector">Id of the collector whose stream it came on.</param>
    public static string? Find(Submit submit, ReadOnlySpan<byte> collector)
    {
        if (submit.CollectorId.Length != BatchId.CollectorBytes || !submit.CollectorId.Span.SequenceEqual(collector))
        {
            return "collector_id is not the one of the stream";
        }

        if (submit.Payload.Length is 0 or > PayloadLimit)
        {
            return $"payload has {submit.Payload.Length} bytes; 1 to {PayloadLimit} are taken";
        }

        if (Crc32.HashToUInt32(submit.Payload.Span) is var crc && crc != submit.PayloadCrc32)
        {
            return $"payload_crc32 is {submit.PayloadCrc32:x8}, that of the payload {crc:x8}";
        }

        if (submit.Ticks > MostTicks)
        {
            return $"ticks is out of range: {submit.Ticks}";
        }

        return submit.Sequence < submit.SettledBelow ? "sequence is below settled_below" : FindInLabels(submit.Labels);
    }

    /// <summary>Tells series apart, as the collector names them.</summary>
    public static ulong SeriesHash(Submit submit)
    {
        var hash = new XxHash64();
        foreach (var label in submit.Labels)
        {
            hash.Append(MemoryMarshal.AsBytes(label.Name.AsSpan()));
            hash.Append("="u8);
            hash.Append(MemoryMarshal.AsBytes(label.Value.AsSpan()));
            hash.Append(","u8);
        }

        return hash.GetCurrentHashAsUInt64();
    }

    /// <summary>Bytes that a batch takes in memory until it is on disk, about.</summary>
    public static long Cost(Submit submit) => Overhead + ((long)submit.Payload.Length * Expansion);

    private static string? FindInLabels(RepeatedField<Label> labels)
    {
        // Labels of the reserved kind are dropped before the push and do not count.
        if (labels.Count(label => !label.Name.StartsWith("__", StringComparison.Ordinal) || label.Name == LabelNames.Name) is var count and > LabelLimit)
        {
            return $"{count} labels; at most {LabelLimit} are taken";
        }

        for (var i = 0; i < labels.Count; i++)
        {
            var (name, value) = (labels[i].Name, labels[i].Value);
            if (name.Length is 0 or > NameLimit || value.Length is 0 or > ValueLimit)
            {
                return $"label {i} has a name of {name.Length} and a value of {value.Length} characters; at most {NameLimit} and {ValueLimit} are taken";
            }

            if (i > 0 && string.CompareOrdinal(labels[i - 1].Name, name) >= 0)
            {
                return $"labels are not sorted by name and unique at {i}";
            }
        }

        return null;
    }
}
