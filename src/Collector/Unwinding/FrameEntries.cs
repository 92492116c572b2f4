using ActorProfiler.Collector.Elf;

namespace ActorProfiler.Collector.Unwinding;

/// <summary>What the functions of one compiler share (a CIE).</summary>
/// <param name="CodeAlignment">Factor of advances.</param>
/// <param name="DataAlignment">Factor of offsets.</param>
/// <param name="PointerEncoding">How a function's address is written (DW_EH_PE).</param>
/// <param name="IsSignalFrame">Its functions are entered by signals, not by calls.</param>
internal readonly record struct CommonEntry(
    ulong CodeAlignment, long DataAlignment, ulong ReturnAddressRegister, byte PointerEncoding, bool HasAugmentation, bool IsSignalFrame, Range Program);

/// <summary>Finds the entries of <c>.eh_frame</c> and <c>.debug_frame</c>.</summary>
/// <remarks>Source: DWARF 5 §6.4.1; Linux Standard Base Core 5.0, "Exception Frames".</remarks>
/// <param name="address">Virtual address of the section; pointers are relative to it.</param>
/// <param name="isDebugFrame">Whether it is <c>.debug_frame</c>, whose links to CIEs have another form.</param>
internal readonly ref struct FrameEntries(ReadOnlySpan<byte> section, ulong address, bool isDebugFrame)
{
    private const byte Omitted = 0xff;

    private readonly ReadOnlySpan<byte> _section = section;

    /// <summary>Where an entry is.</summary>
    /// <param name="Body">Position after the link.</param>
    /// <param name="Common">Position of its CIE; -1 when the entry is one itself.</param>
    /// <param name="End">Position of the next entry.</param>
    public readonly record struct Entry(int Body, long Common, int End);

    /// <summary>Reads the entry at a position. False at the end, and where no entry fits any more.</summary>
    public bool TryRead(int position, out Entry entry)
    {
        entry = default;
        var fields = new ByteReader(_section[position..]);
        if (fields.Remaining < 4)
        {
            return false;
        }

        ulong length = fields.U32();
        if (length == 0)
        {
            entry = new Entry(position + 4, -1, position + 4); // a terminator; linkers leave some in the middle
            return true;
        }

        var isWide = length == uint.MaxValue;
        if (isWide && fields.Remaining < 8)
        {
            return false;
        }

        length = isWide ? fields.U64() : length;
        var linkAt = position + fields.Position;
        var linkSize = isWide && isDebugFrame ? 8 : 4;
        if (length > (ulong)fields.Remaining || length < (ulong)linkSize)
        {
            return false;
        }

        var link = linkSize == 8 ? fields.U64() : fields.U32();
        entry = new Entry(linkAt + linkSize, CommonOf(link, linkAt, linkSize), linkAt + (int)length);
        return true;
    }

    /// <summary>Reads the CIE at a position.</summary>
    /// <exception cref="FormatException">There is none, or one of an unknown version.</exception>
    public CommonEntry ReadCommon(long position)
    {
        if (position < 0 || position >= _section.Length || !TryRead((int)position, out var entry) || entry.Common >= 0 || entry.Body >= entry.End)
        {
            throw new FormatException($"no common entry at {position:x} of the frame section");
        }

        var fields = new ByteReader(_section[entry.Body..entry.End]);
        var version = fields.U8();
        if (version is not (1 or 3 or 4))
        {
            throw new FormatException($"frame entry of version {version}; 1, 3 and 4 are known");
        }

        var augmentation = fields.ZeroTerminated();
        if (augmentation.StartsWith("eh"u8))
        {
            throw new FormatException("frame entry of GCC 2");
        }

        fields.Skip(version == 4 ? 2ul : 0ul);
        var code = fields.Uleb();
        var data = fields.Sleb();
        var register = version == 1 ? fields.U8() : fields.Uleb();
        var (encoding, isSignal) = ReadAugmentation(ref fields, augmentation);
        return new CommonEntry(
            code, data, register, encoding, augmentation.StartsWith("z"u8), isSignal, (entry.Body + fields.Position)..entry.End);
    }

    /// <summary>Reads a pointer at a position of the section.</summary>
    /// <exception cref="FormatException">The encoding needs more than this file to be understood.</exception>
    public ulong ReadPointer(ref ByteReader fields, byte encoding, int fieldsAt)
    {
        var place = unchecked(address + (ulong)(fieldsAt + fields.Position));
        ulong value = (encoding & 0x0f) switch
        {
            0x00 or 0x04 or 0x0c => fields.U64(),
            0x01 => fields.Uleb(),
            0x02 => fields.U16(),
            0x03 => fields.U32(),
            0x09 => (ulong)fields.Sleb(),
            0x0a => (ulong)(short)fields.U16(),
            0x0b => (ulong)(int)fields.U32(),
            _ => throw new FormatException($"pointer encoding {encoding:x}"),
        };
        return (encoding & 0xf0) switch
        {
            0x00 => value,
            0x10 => unchecked(value + place),
            _ => throw new FormatException($"pointer encoding {encoding:x}: only absolute and relative to its place are read"),
        };
    }

    private long CommonOf(ulong link, int linkAt, int linkSize)
    {
        if (!isDebugFrame)
        {
            return link == 0 ? -1 : linkAt - (long)link is var at and >= 0 ? at : long.MaxValue;
        }

        return link == (linkSize == 8 ? ulong.MaxValue : uint.MaxValue) ? -1 : link > int.MaxValue ? long.MaxValue : (long)link;
    }

    private (byte Encoding, bool IsSignal) ReadAugmentation(ref ByteReader fields, ReadOnlySpan<byte> augmentation)
    {
        if (augmentation.IsEmpty)
        {
            return (0, false);
        }

        if (augmentation[0] != (byte)'z')
        {
            throw new FormatException("frame entry with an augmentation of unknown length");
        }

        var length = fields.Uleb();
        var end = (ulong)fields.Position + length;
        var (encoding, isSignal) = ((byte)0, false);
        foreach (var letter in augmentation[1..])
        {
            switch (letter)
            {
                case (byte)'R':
                    encoding = fields.U8();
                    break;
                case (byte)'L':
                    fields.U8();
                    break;
                case (byte)'P':
                    var personality = fields.U8();
                    if (personality != Omitted)
                    {
                        ReadPointer(ref fields, (byte)(personality & 0x0f), 0);
                    }

                    break;
                case (byte)'S':
                    isSignal = true;
                    break;
            }
        }

        fields.Seek(end);
        return (encoding, isSignal);
    }
}
