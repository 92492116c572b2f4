using System.IO.Compression;
using ActorProfiler.Protocol;
using Google.Protobuf;

namespace ActorProfiler.Aggregator.Aggregation;

/// <summary>Reads the payload of a <see cref="Submit"/>. A collector is not trusted: everything a later stage relies on is checked here.</summary>
internal static class BatchDecoder
{
    /// <summary>Bound of a payload after decompression.</summary>
    public const int DecompressedLimit = 2 << 20;

    /// <summary>Frames of one stack; a server cuts at 1000.</summary>
    public const int StackLimit = 1000;

    private const long LongestPeriod = 60_000_000_000;
    private const long LongestDuration = 3_600_000_000_000;
    private const uint LargestWeight = 1_000_000;
    private const ulong MostTicks = 1u << 20;
    private const long Year2020 = 1_577_836_800_000_000_000;
    private const long Year2200 = 7_258_118_400_000_000_000;

    /// <summary>The batch, every index within its table and every product within 64 bits.</summary>
    /// <exception cref="FormatException">The payload breaks a rule of batch.proto; the message names it.</exception>
    public static SampleBatch Decode(Submit submit)
    {
        var batch = Parse(Decompress(submit.Compression, submit.Payload));
        CheckHead(batch);
        CheckTables(batch);
        CheckSamples(batch, submit.Ticks, submit.Stacks);
        return batch;
    }

    private static ReadOnlyMemory<byte> Decompress(Compression compression, ByteString payload)
    {
        switch (compression)
        {
            case Compression.None:
                Require(payload.Length <= DecompressedLimit, "payload", payload.Length);
                return payload.Memory;
            case Compression.Brotli:
                return DecompressBrotli(payload.Span);
            default:
                throw new FormatException($"compression {(int)compression} is unknown");
        }
    }

    private static ReadOnlyMemory<byte> DecompressBrotli(ReadOnlySpan<byte> payload)
    {
        // A buffer of the limit bounds a bomb: what does not fit is refused unread.
        var buffer = new byte[Math.Min(DecompressedLimit, Math.Max(4096, payload.Length * 8))];
        int written;
        while (!BrotliDecoder.TryDecompress(payload, buffer, out written))
        {
            if (buffer.Length == DecompressedLimit)
            {
                throw new FormatException($"payload of {payload.Length} bytes is not Brotli or holds more than {DecompressedLimit} bytes");
            }

            buffer = new byte[Math.Min(DecompressedLimit, buffer.Length * 4)];
        }

        return buffer.AsMemory(0, written);
    }

    private static SampleBatch Parse(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            return SampleBatch.Parser.ParseFrom(bytes.Span);
        }
        catch (InvalidProtocolBufferException malformed)
        {
            throw new FormatException($"payload is not a SampleBatch: {malformed.Message}", malformed);
        }
    }

    private static void CheckHead(SampleBatch batch)
    {
        Require(batch.StartUnixNanos is >= Year2020 and < Year2200, "start_unix_nanos", batch.StartUnixNanos);
        Require(batch.DurationNanos is >= 0 and <= LongestDuration, "duration_nanos", batch.DurationNanos);
        Require(batch.PeriodNanos is > 0 and <= LongestPeriod, "period_nanos", batch.PeriodNanos);
        Require(batch.Weight is > 0 and <= LargestWeight, "weight", batch.Weight);
        Require(batch.Strings.Count > 0 && batch.Strings[0].Length == 0, "strings[0]", "not empty or missing");
    }

    private static void CheckTables(SampleBatch batch)
    {
        foreach (var module in batch.Modules)
        {
            Require(module.File < batch.Strings.Count, "module.file", module.File);
            Require(module.BuildId < batch.Strings.Count, "module.build_id", module.BuildId);
        }

        foreach (var function in batch.Functions)
        {
            Require(function.Name < batch.Strings.Count, "function.name", function.Name);
            Require(function.SystemName < batch.Strings.Count, "function.system_name", function.SystemName);
            Require(function.File < batch.Strings.Count, "function.file", function.File);
        }

        foreach (var location in batch.Locations)
        {
            Require(location.Module <= batch.Modules.Count, "location.module", location.Module);
            foreach (var line in location.Lines)
            {
                Require(line.Function < batch.Functions.Count, "line.function", line.Function);
            }
        }
    }

    private static void CheckSamples(SampleBatch batch, ulong declaredTicks, ulong declaredStacks)
    {
        Require(batch.StackEnds.Count == batch.Ticks.Count, "stack_ends count", batch.StackEnds.Count);
        Require((ulong)batch.Ticks.Count == declaredStacks, "stacks of the submit", declaredStacks);
        var (sum, first) = (0ul, 0u);
        for (var i = 0; i < batch.Ticks.Count; i++)
        {
            var (ticks, end) = (batch.Ticks[i], batch.StackEnds[i]);
            Require(ticks is > 0 and <= MostTicks, "ticks", ticks);
            Require(Math.BigMul(ticks * batch.Weight, (ulong)batch.PeriodNanos) <= long.MaxValue, "ticks × weight × period", ticks);
            Require(end >= first && end - first <= StackLimit && end <= batch.Stacks.Count, "stack_ends", end);
            sum += ticks;
            first = end;
        }

        Require(first == batch.Stacks.Count, "stacks count", batch.Stacks.Count);
        Require(sum == declaredTicks, "ticks of the submit", declaredTicks);
        foreach (var location in batch.Stacks)
        {
            Require(location < batch.Locations.Count, "stacks", location);
        }
    }

    private static void Require<T>(bool met, string field, T value)
    {
        if (!met)
        {
            throw new FormatException($"{field} is out of range: {value}");
        }
    }
}
