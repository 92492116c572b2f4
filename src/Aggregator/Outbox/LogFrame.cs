using System.Buffers;
using System.Buffers.Binary;
using System.IO.Hashing;

namespace ActorProfiler.Aggregator.Outbox;

/// <summary>A record of the log as bytes: <c>magic (8) · length (4) · next id (8) · ticks (8) · CRC-32 (4) · body</c>, little-endian.</summary>
/// <remarks>The checksum is of all but the magic, which is there to find the next record behind damaged bytes.</remarks>
internal static class LogFrame
{
    public const int HeaderBytes = 32;

    private const ulong Magic = 0x1a0d_f5c3_786f_6250;
    private const int ChecksumAt = 28;
    private const int MagicBytes = sizeof(ulong);

    /// <param name="before">Totals of what is before the record.</param>
    /// <param name="body">Empty for a record that only says how far the log has come.</param>
    public static void Write(IBufferWriter<byte> target, LogTotals before, ReadOnlySpan<byte> body)
    {
        var frame = target.GetSpan(HeaderBytes + body.Length)[..(HeaderBytes + body.Length)];
        BinaryPrimitives.WriteUInt64LittleEndian(frame, Magic);
        BinaryPrimitives.WriteInt32LittleEndian(frame[8..], body.Length);
        BinaryPrimitives.WriteInt64LittleEndian(frame[12..], before.NextId);
        BinaryPrimitives.WriteInt64LittleEndian(frame[20..], before.Ticks);
        body.CopyTo(frame[HeaderBytes..]);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[ChecksumAt..], Checksum(frame));
        target.Advance(frame.Length);
    }

    /// <summary>Reads the record at the start of <paramref name="bytes"/>.</summary>
    /// <returns>False when there is none, or it is cut off or damaged.</returns>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out LogTotals before, out int bodyLength)
    {
        (before, bodyLength) = (default, 0);
        if (bytes.Length < HeaderBytes || BinaryPrimitives.ReadUInt64LittleEndian(bytes) != Magic)
        {
            return false;
        }

        var length = BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]);
        if (length < 0 || length > bytes.Length - HeaderBytes
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes[ChecksumAt..]) != Checksum(bytes[..(HeaderBytes + length)]))
        {
            return false;
        }

        before = new LogTotals(BinaryPrimitives.ReadInt64LittleEndian(bytes[12..]), BinaryPrimitives.ReadInt64LittleEndian(bytes[20..]));
        bodyLength = length;
        return true;
    }

    /// <summary>Where a record may begin, from <paramref name="from"/> on; -1 when nowhere.</summary>
    public static int Find(ReadOnlySpan<byte> bytes, int from)
    {
        Span<byte> magic = stackalloc byte[MagicBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(magic, Magic);
        var found = bytes[from..].IndexOf(magic);
        return found < 0 ? -1 : from + found;
    }

    private static uint Checksum(ReadOnlySpan<byte> frame)
    {
        var crc = new Crc32();
        crc.Append(frame[MagicBytes..ChecksumAt]);
        crc.Append(frame[HeaderBytes..]);
        return crc.GetCurrentHashAsUInt32();
    }
}
