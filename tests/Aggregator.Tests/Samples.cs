using System.IO.Compression;
using System.IO.Hashing;
using ActorProfiler.Labels;
using ActorProfiler.Protocol;
using Google.Protobuf;

namespace ActorProfiler.Tests;

/// <summary>Batches as a collector would send them.</summary>
internal static class Samples
{
    /// <summary>2026-01-01T00:00:00Z, Unix nanoseconds.</summary>
    public const long Start = 1_767_225_600_000_000_000;

    public const long Second = 1_000_000_000;

    public static readonly LabelSet Web = LabelSet.Of(("__name__", "process_cpu"), ("service_name", "web"), ("__process_pid__", "7"));

    public static readonly ByteString Collector = ByteString.CopyFrom([.. Enumerable.Range(1, 16).Select(i => (byte)i)]);

    /// <summary>A batch of stacks <c>leaf;…;root</c> with ticks, all frames in one module.</summary>
    public static SampleBatch Batch(long start, long period, uint weight, params (string Stack, ulong Ticks)[] stacks)
    {
        var batch = new SampleBatch { StartUnixNanos = start, DurationNanos = Second, PeriodNanos = period, Weight = weight };
        batch.Strings.Add("");
        batch.Strings.Add("/usr/bin/web");
        batch.Strings.Add("abcdef0123456789");
        batch.Modules.Add(new Module { File = 1, BuildId = 2, Start = 0x1000, Limit = 0x9000, Offset = 0x1000 });
        foreach (var (stack, ticks) in stacks)
        {
            foreach (var name in stack.Split(';', StringSplitOptions.RemoveEmptyEntries))
            {
                batch.Stacks.Add(LocationOf(batch, name));
            }

            batch.Ticks.Add(ticks);
            batch.StackEnds.Add((uint)batch.Stacks.Count);
        }

        return batch;
    }

    public static SampleBatch Batch(params (string Stack, ulong Ticks)[] stacks) => Batch(Start, 10_000_000, 1, stacks);

    public static Submit Submit(ulong sequence, LabelSet labels, SampleBatch batch, ulong epoch = 1)
    {
        var payload = batch.ToByteArray();
        var compressed = new byte[BrotliEncoder.GetMaxCompressedLength(payload.Length)];
        Assert.True(BrotliEncoder.TryCompress(payload, compressed, out var length, quality: 4, window: 22));
        return Submit(sequence, labels, compressed[..length], Compression.Brotli, batch.Ticks.Aggregate(0ul, (sum, ticks) => sum + ticks), epoch, (ulong)batch.Ticks.Count);
    }

    public static Submit Submit(ulong sequence, LabelSet labels, byte[] payload, Compression compression, ulong ticks, ulong epoch = 1, ulong stacks = 0)
    {
        var submit = new Submit
        {
            CollectorId = Collector,
            Epoch = epoch,
            Sequence = sequence,
            Ticks = ticks,
            Stacks = stacks,
            Compression = compression,
            Payload = ByteString.CopyFrom(payload),
            PayloadCrc32 = Crc32.HashToUInt32(payload),
        };
        submit.Labels.AddRange(labels.Select(pair => new Label { Name = pair.Name, Value = pair.Value }));
        return submit;
    }

    private static uint LocationOf(SampleBatch batch, string name)
    {
        for (var i = 0; i < batch.Functions.Count; i++)
        {
            if (batch.Strings[(int)batch.Functions[i].Name] == name)
            {
                return (uint)i;
            }
        }

        var index = (uint)batch.Functions.Count;
        batch.Strings.Add(name);
        var text = (uint)batch.Strings.Count - 1;
        batch.Functions.Add(new Function { Name = text, SystemName = text });
        batch.Locations.Add(new Location { Module = 1, Address = 0x1000 + (index * 16), Lines = { new Line { Function = index } } });
        return index;
    }
}
