using ActorProfiler.Collector.Elf;

namespace ActorProfiler.Collector.Symbols.Dwarf;

/// <summary>The address ranges of an entry. Source: DWARF 4 §2.17.3, DWARF 5 §7.25.</summary>
internal static class DwarfRanges
{
    private const int Limit = 100_000;

    /// <summary>Adds the ranges of an entry; none for one without code.</summary>
    /// <exception cref="FormatException">A list is malformed or longer than the limit.</exception>
    public static void Add(DwarfReader reader, DwarfUnit unit, in DwarfEntry entry, List<(ulong Start, ulong End)> ranges)
    {
        if (entry.Ranges is { } list)
        {
            if (unit.Version >= 5)
            {
                AddList(reader, unit, OffsetOf(reader, unit, list), ranges);
            }
            else
            {
                AddPairs(reader, unit, list.Value, ranges);
            }
        }
        else if (entry is { Low: { } low, High: { } high })
        {
            Add(ranges, low, entry.HighIsLength ? unchecked(low + high) : high);
        }
    }

    private static void Add(List<(ulong Start, ulong End)> ranges, ulong start, ulong end)
    {
        if (ranges.Count >= Limit)
        {
            throw new FormatException($"more than {Limit} address ranges");
        }

        if (start != 0 && end > start)
        {
            ranges.Add((start, end)); // code that the linker removed begins at 0
        }
    }

    private static ulong OffsetOf(DwarfReader reader, DwarfUnit unit, (ulong Value, ushort Form) list)
    {
        const ushort RangeListIndex = 0x23;
        if (list.Form != RangeListIndex)
        {
            return list.Value;
        }

        var fields = new ByteReader(reader.Sections.RangeLists);
        fields.Seek(Math.Min(unit.RangeListsBase, (ulong)fields.Remaining));
        fields.Skip(Math.Min(list.Value, int.MaxValue) * (ulong)unit.OffsetSize);
        return unit.RangeListsBase + (unit.OffsetSize == 8 ? fields.U64() : fields.U32());
    }

    private static void AddPairs(DwarfReader reader, DwarfUnit unit, ulong offset, List<(ulong Start, ulong End)> ranges)
    {
        var fields = new ByteReader(reader.Sections.Ranges);
        fields.Seek(offset);
        var start = unit.LowAddress;
        while (true)
        {
            var (first, second) = (fields.U64(), fields.U64());
            if (first == 0 && second == 0)
            {
                return;
            }

            if (first == ulong.MaxValue)
            {
                start = second;
            }
            else
            {
                Add(ranges, unchecked(start + first), unchecked(start + second));
            }
        }
    }

    private static void AddList(DwarfReader reader, DwarfUnit unit, ulong offset, List<(ulong Start, ulong End)> ranges)
    {
        var fields = new ByteReader(reader.Sections.RangeLists);
        fields.Seek(offset);
        var start = unit.LowAddress;
        while (true)
        {
            switch (fields.U8())
            {
                case 0x00:
                    return;
                case 0x01: // base_addressx
                    start = reader.AddressAt(unit, fields.Uleb());
                    break;
                case 0x02: // startx_endx
                    Add(ranges, reader.AddressAt(unit, fields.Uleb()), reader.AddressAt(unit, fields.Uleb()));
                    break;
                case 0x03: // startx_length
                    var indexed = reader.AddressAt(unit, fields.Uleb());
                    Add(ranges, indexed, unchecked(indexed + fields.Uleb()));
                    break;
                case 0x04: // offset_pair
                    Add(ranges, unchecked(start + fields.Uleb()), unchecked(start + fields.Uleb()));
                    break;
                case 0x05: // base_address
                    start = fields.U64();
                    break;
                case 0x06: // start_end
                    Add(ranges, fields.U64(), fields.U64());
                    break;
                case 0x07: // start_length
                    var first = fields.U64();
                    Add(ranges, first, unchecked(first + fields.Uleb()));
                    break;
                default:
                    throw new FormatException("unknown kind of entry in .debug_rnglists");
            }
        }
    }
}
