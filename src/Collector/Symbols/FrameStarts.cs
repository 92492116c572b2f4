using ActorProfiler.Collector.Elf;

namespace ActorProfiler.Collector.Symbols;

/// <summary>Where functions begin, by <c>.eh_frame_hdr</c>: it lists every function of a stripped file too.</summary>
/// <remarks>Source: Linux Standard Base Core 5.0, "DWARF extensions": a table of (start, FDE) pairs, 32 bits each, sorted by start.</remarks>
internal sealed class FrameStarts
{
    private const int TableBytes = 32 << 20;
    private const byte RelativeToHeader4 = 0x3b;

    private readonly ElfFile _file;
    private readonly ElfSection _frames;
    private readonly ulong _header;
    private readonly int[] _starts;
    private readonly int[] _entries;

    private FrameStarts(ElfFile file, ElfSection frames, ulong header, int[] starts, int[] entries) =>
        (_file, _frames, _header, _starts, _entries) = (file, frames, header, starts, entries);

    /// <summary>Null when the file has no sorted table of the usual encoding.</summary>
    /// <exception cref="FormatException">The table reaches past its section.</exception>
    public static FrameStarts? Read(ElfFile file)
    {
        if (file.Section(".eh_frame_hdr") is not { HasBytes: true } section || file.Section(".eh_frame") is not { HasBytes: true } frames)
        {
            return null;
        }

        var fields = new ByteReader(file.ReadSection(section, TableBytes));
        var (version, pointer, count, table) = (fields.U8(), fields.U8(), fields.U8(), fields.U8());
        if (version != 1 || pointer != 0x1b || count != 3 || table != RelativeToHeader4)
        {
            return null;
        }

        fields.Skip(4);
        var entries = fields.U32();
        if (entries > fields.Remaining / 8)
        {
            throw new FormatException($".eh_frame_hdr of {file.Path} claims {entries} entries in {fields.Remaining} bytes");
        }

        var (starts, ends) = (new int[entries], new int[entries]);
        for (var i = 0; i < entries; i++)
        {
            (starts[i], ends[i]) = ((int)fields.U32(), (int)fields.U32());
        }

        return new FrameStarts(file, frames, section.Address, starts, ends);
    }

    /// <summary>First address of the function that holds <paramref name="address"/>, or null when none does.</summary>
    public ulong? Find(ulong address)
    {
        var relative = unchecked((long)(address - _header));
        if (relative is < int.MinValue or > int.MaxValue)
        {
            return null;
        }

        var index = Array.BinarySearch(_starts, (int)relative);
        index = index < 0 ? ~index - 1 : index;
        if (index < 0)
        {
            return null;
        }

        var start = unchecked(_header + (ulong)_starts[index]);
        return LengthOf(index) is { } length && address - start >= length ? null : start;
    }

    /// <summary>Length of the function that begins at <paramref name="start"/>, or null when none does.</summary>
    public ulong? LengthAt(ulong start) =>
        unchecked((long)(start - _header)) is >= int.MinValue and <= int.MaxValue and var relative && Array.BinarySearch(_starts, (int)relative) is >= 0 and var index
            ? LengthOf(index)
            : null;

    /// <summary>Length of the function by its FDE; null when the FDE is not of the usual form, 32-bit and relative.</summary>
    private ulong? LengthOf(int index)
    {
        Span<byte> entry = stackalloc byte[16];
        var at = unchecked(_header + (ulong)_entries[index]) - _frames.Address;
        if (at > _frames.Size || _file.Source.ReadFully((long)(_frames.Offset + at), entry) < entry.Length)
        {
            return null;
        }

        var fields = new ByteReader(entry);
        var wide = fields.U32() == uint.MaxValue;
        fields.Skip(4);
        var begin = unchecked(_frames.Address + at + 8 + (ulong)(int)fields.U32());
        return wide || begin != unchecked(_header + (ulong)_starts[index]) ? null : fields.U32();
    }
}
