using System.IO.Compression;
using System.IO.Hashing;
using ActorProfiler.Protocol;
using Google.Protobuf;

namespace ActorProfiler.Collector.Batching;

/// <summary>Turns batches into the messages that are sent: numbered, compressed, with a checksum.</summary>
internal sealed class Envelopes(CollectorIdentity identity)
{
    /// <summary>Below this size compression costs more than it saves.</summary>
    private const int SmallestCompressed = 512;

    private readonly ByteString _id = ByteString.CopyFrom(identity.Id.Span);
    private ulong _sequence;

    public Submit Wrap(TargetBatch batch)
    {
        var plain = batch.Batch.ToByteArray();
        var isCompressed = plain.Length >= SmallestCompressed;
        var payload = isCompressed ? Compress(plain) : plain;
        var submit = new Submit
        {
            CollectorId = _id,
            Epoch = identity.Epoch,
            Sequence = ++_sequence,
            Ticks = (ulong)batch.Ticks,
            Stacks = (ulong)batch.Batch.Ticks.Count,
            Compression = isCompressed ? Compression.Brotli : Compression.None,
            Payload = UnsafeByteOperations.UnsafeWrap(payload),
            PayloadCrc32 = Crc32.HashToUInt32(payload),
        };
        submit.Labels.AddRange(batch.Target.Labels.Select(label => new Label { Name = label.Name, Value = label.Value }));
        return submit;
    }

    /// <summary>A batch made under another identity, as if it had been made under this one.</summary>
    public Submit Rename(Submit batch)
    {
        var renamed = batch.Clone();
        (renamed.CollectorId, renamed.Epoch, renamed.Sequence) = (_id, identity.Epoch, ++_sequence);
        return renamed;
    }

    /// <summary>Brotli at its lowest level: the size of gzip at a third of its cost.</summary>
    private static byte[] Compress(byte[] plain)
    {
        const int Quality = 1;
        const int Window = 18;
        var buffer = new byte[BrotliEncoder.GetMaxCompressedLength(plain.Length)];
        return BrotliEncoder.TryCompress(plain, buffer, out var written, Quality, Window) ? buffer[..written] : plain;
    }
}
