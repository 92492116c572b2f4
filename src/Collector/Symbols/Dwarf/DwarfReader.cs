using System.Buffers.Binary;
using ActorProfiler.Collector.Elf;

namespace ActorProfiler.Collector.Symbols.Dwarf;

/// <summary>Reads units and entries of <c>.debug_info</c>, versions 2 to 5. Source: DWARF 5 §7.5.</summary>
/// <remarks>All methods throw FormatException on malformed input.</remarks>
internal sealed class DwarfReader(DwarfSections sections)
{
    public const ushort CompileUnit = 0x11, InlinedCall = 0x1d, Subprogram = 0x2e, SkeletonUnit = 0x4a;

    private (ulong Offset, Dictionary<ulong, DwarfAbbreviation> Table)? _lastTable;

    public DwarfSections Sections => sections;

    /// <summary>The unit at an offset, and where the next begins. The unit is null when it is of no use here (type units).</summary>
    public (DwarfUnit? Unit, int Next) ReadUnit(int start)
    {
        var fields = new ByteReader(sections.Information);
        fields.Seek((ulong)start);
        ulong length = fields.U32();
        var offsetSize = length == uint.MaxValue ? 8 : 4;
        length = offsetSize == 8 ? fields.U64() : length;
        if (length > (ulong)fields.Remaining)
        {
            throw new FormatException($"unit at {start:x} of .debug_info is longer than the section");
        }

        var end = fields.Position + (int)length;
        var version = fields.U16();
        var kind = version >= 5 ? fields.U8() : (byte)1;
        var addressSize = version >= 5 ? fields.U8() : (byte)8;
        var abbreviations = offsetSize == 8 ? fields.U64() : fields.U32();
        addressSize = version >= 5 ? addressSize : fields.U8();
        fields.Skip(kind is 4 or 5 ? 8ul : 0);
        if (version is < 2 or > 5 || addressSize != 8 || kind is not (1 or 3 or 4))
        {
            return (null, end);
        }

        var unit = new DwarfUnit(start, fields.Position, end, version, offsetSize, TableAt(abbreviations));
        var position = unit.FirstEntry;
        if (!TryReadEntry(unit, ref position, out var root))
        {
            return (null, end);
        }

        unit.AddressBase = root.AddressBase ?? 8;
        unit.StringOffsetsBase = root.StringOffsetsBase ?? 8;
        unit.RangeListsBase = root.RangeListsBase ?? 12;
        unit.LineProgram = root.LineProgram;
        position = unit.FirstEntry; // again, now that indexed addresses can be looked up
        TryReadEntry(unit, ref position, out root);
        unit.LowAddress = root.Low ?? 0;
        unit.Folder = root.Folder is { } folder ? Text(unit, folder) : "";
        return (unit, end);
    }

    /// <summary>Reads the entry at a position and moves behind it. False for the null entry that ends a list of children.</summary>
    public bool TryReadEntry(DwarfUnit unit, ref int position, out DwarfEntry entry)
    {
        entry = default;
        var fields = new ByteReader(sections.Information.AsSpan(0, unit.End));
        fields.Seek((ulong)position);
        var code = fields.Uleb();
        if (code == 0)
        {
            position = fields.Position;
            return false;
        }

        if (!unit.Abbreviations.TryGetValue(code, out var shape))
        {
            throw new FormatException($"entry at {position:x} of .debug_info has the unknown shape {code}");
        }

        (entry.Tag, entry.HasChildren) = (shape.Tag, shape.HasChildren);
        foreach (var attribute in shape.Attributes)
        {
            var form = attribute.Form;
            var value = DwarfForms.Read(ref fields, unit, ref form, attribute.Constant);
            Store(unit, attribute.Name, form, value, ref entry);
        }

        position = fields.Position;
        return true;
    }

    public string Text(DwarfUnit unit, (ulong Value, ushort Form) text)
    {
        var (section, offset) = text.Form switch
        {
            0x08 => (sections.Information, text.Value),
            0x0e => (sections.Strings, text.Value),
            0x1f => (sections.LineStrings, text.Value),
            0x1a or (>= 0x25 and <= 0x28) or 0x1f02 => (sections.Strings, Indexed(sections.StringOffsets, unit.StringOffsetsBase, text.Value, unit.OffsetSize)),
            _ => ([], 0ul),
        };
        if (offset >= (ulong)section.Length)
        {
            return "";
        }

        var bytes = section.AsSpan((int)offset);
        bytes = bytes[..Math.Min(bytes.Length, ElfLimits.NameBytes)];
        var end = bytes.IndexOf((byte)0);
        return SymbolText.From(end < 0 ? bytes : bytes[..end]);
    }

    private ulong Address(DwarfUnit unit, ulong value, ushort form) => form == 0x01 ? value : Indexed(sections.Addresses, unit.AddressBase, value, 8);

    public ulong AddressAt(DwarfUnit unit, ulong index) => Indexed(sections.Addresses, unit.AddressBase, index, 8);

    private void Store(DwarfUnit unit, ushort name, ushort form, ulong value, ref DwarfEntry entry)
    {
        switch (name)
        {
            case 0x01:
                entry.Sibling = unit.Start + (int)Math.Min(value, int.MaxValue / 2);
                break;
            case 0x03:
                entry.Name = (value, form);
                break;
            case 0x10:
                entry.LineProgram = value;
                break;
            case 0x11:
                entry.Low = Address(unit, value, form);
                break;
            case 0x12:
                entry.HighIsLength = form is not (0x01 or 0x1b or 0x1f01 or (>= 0x29 and <= 0x2c));
                entry.High = entry.HighIsLength ? value : Address(unit, value, form);
                break;
            case 0x1b:
                entry.Folder = (value, form);
                break;
            case 0x31 or 0x47:
                entry.Origin = form == 0x10 ? (int)Math.Min(value, int.MaxValue) : (int)Math.Min((ulong)unit.Start + value, int.MaxValue);
                break;
            case 0x3b:
                entry.DeclarationLine = value;
                break;
            case 0x55:
                entry.Ranges = (value, form);
                break;
            case 0x58:
                entry.CallFile = value;
                break;
            case 0x59:
                entry.CallLine = value;
                break;
            case 0x6e or 0x2007:
                entry.LinkageName = (value, form);
                break;
            case 0x72:
                entry.StringOffsetsBase = value;
                break;
            case 0x73 or 0x2133:
                entry.AddressBase = value;
                break;
            case 0x74:
                entry.RangeListsBase = value;
                break;
        }
    }

    private Dictionary<ulong, DwarfAbbreviation> TableAt(ulong offset)
    {
        if (_lastTable?.Offset != offset)
        {
            _lastTable = (offset, DwarfAbbreviation.ReadTable(sections.Abbreviations, offset));
        }

        return _lastTable.Value.Table;
    }

    private static ulong Indexed(byte[] section, ulong start, ulong index, int size)
    {
        if (index > (ulong)section.Length || start > (ulong)section.Length || start + (index + 1) * (ulong)size > (ulong)section.Length)
        {
            return ulong.MaxValue;
        }

        var at = section.AsSpan((int)(start + index * (ulong)size));
        return size == 8 ? BinaryPrimitives.ReadUInt64LittleEndian(at) : BinaryPrimitives.ReadUInt32LittleEndian(at);
    }
}
