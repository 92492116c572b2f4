using System.Buffers.Binary;
using System.Text;

namespace ActorProfiler.Collector.Elf;

/// <summary>A cursor over little-endian bytes of foreign origin. Every read checks its bounds.</summary>
/// <remarks>All members throw FormatException when the bytes end before the value does.</remarks>
internal ref struct ByteReader(ReadOnlySpan<byte> bytes)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private int _position;

    public readonly int Position => _position;

    public readonly int Remaining => _bytes.Length - _position;

    public readonly bool AtEnd => _position >= _bytes.Length;

    public readonly ReadOnlySpan<byte> Rest => _bytes[_position..];

    public byte U8() => Take(1)[0];

    public ushort U16() => BinaryPrimitives.ReadUInt16LittleEndian(Take(2));

    public uint U32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    public ulong U64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(8));

    /// <summary>Unsigned LEB128 of at most 10 bytes; bits over 64 are lost. Source: DWARF 5 §7.6.</summary>
    public ulong Uleb()
    {
        ulong value = 0;
        for (var shift = 0; shift < 70; shift += 7)
        {
            var next = U8();
            value |= shift < 64 ? (ulong)(next & 0x7f) << shift : 0;
            if ((next & 0x80) == 0)
            {
                return value;
            }
        }

        throw new FormatException($"LEB128 longer than 10 bytes at {_position}");
    }

    /// <summary>Signed LEB128, bounded as <see cref="Uleb"/>.</summary>
    public long Sleb()
    {
        long value = 0;
        for (var shift = 0; shift < 70; shift += 7)
        {
            var next = U8();
            value |= shift < 64 ? (long)(next & 0x7f) << shift : 0;
            if ((next & 0x80) == 0)
            {
                return shift + 7 < 64 && (next & 0x40) != 0 ? value | (-1L << (shift + 7)) : value;
            }
        }

        throw new FormatException($"LEB128 longer than 10 bytes at {_position}");
    }

    /// <summary>Bytes up to a zero, which is passed over.</summary>
    public ReadOnlySpan<byte> ZeroTerminated()
    {
        var length = Rest.IndexOf((byte)0);
        if (length < 0)
        {
            throw new FormatException($"string at {_position} without its zero");
        }

        var text = Rest[..length];
        _position += length + 1;
        return text;
    }

    public string Text() => Encoding.UTF8.GetString(ZeroTerminated());

    public ReadOnlySpan<byte> Take(ulong count)
    {
        if (count > (ulong)Remaining)
        {
            throw new FormatException($"{count} bytes wanted at {_position} of {_bytes.Length}");
        }

        var taken = _bytes.Slice(_position, (int)count);
        _position += (int)count;
        return taken;
    }

    public void Skip(ulong count) => Take(count);

    /// <summary>Continues at a position from the start of the bytes.</summary>
    public void Seek(ulong position)
    {
        if (position > (ulong)_bytes.Length)
        {
            throw new FormatException($"position {position} is past the end at {_bytes.Length}");
        }

        _position = (int)position;
    }
}
