using ActorProfiler.Collector.Elf;

namespace ActorProfiler.Collector.Symbols.Dwarf;

/// <summary>One compilation unit of <c>.debug_info</c>.</summary>
/// <param name="Start">Offset of its header; references count from here.</param>
/// <param name="FirstEntry">Offset of its first entry.</param>
/// <param name="End">Offset behind it.</param>
/// <param name="OffsetSize">4, or 8 in 64-bit DWARF.</param>
internal sealed record DwarfUnit(int Start, int FirstEntry, int End, int Version, int OffsetSize, IReadOnlyDictionary<ulong, DwarfAbbreviation> Abbreviations)
{
    /// <summary>First address, which range lists count from.</summary>
    public ulong LowAddress { get; set; }

    /// <summary>Offset in <c>.debug_line</c>; null when it has no lines.</summary>
    public ulong? LineProgram { get; set; }

    public string Folder { get; set; } = "";

    public ulong AddressBase { get; set; }

    public ulong StringOffsetsBase { get; set; }

    public ulong RangeListsBase { get; set; }
}

/// <param name="Constant">Value of DW_FORM_implicit_const.</param>
internal readonly record struct DwarfAttribute(ushort Name, ushort Form, long Constant);

/// <summary>The shape of some entries of a unit.</summary>
internal sealed record DwarfAbbreviation(ushort Tag, bool HasChildren, DwarfAttribute[] Attributes)
{
    private const int Limit = 100_000;

    /// <summary>Reads the table at an offset of <c>.debug_abbrev</c>.</summary>
    /// <exception cref="FormatException">The table is malformed or larger than the limit.</exception>
    public static Dictionary<ulong, DwarfAbbreviation> ReadTable(byte[] section, ulong offset)
    {
        const ushort ImplicitConstant = 0x21;
        var fields = new ByteReader(section);
        fields.Seek(offset);
        var table = new Dictionary<ulong, DwarfAbbreviation>();
        for (ulong code; (code = fields.Uleb()) != 0;)
        {
            var (tag, hasChildren) = ((ushort)fields.Uleb(), fields.U8() != 0);
            var attributes = new List<DwarfAttribute>();
            while (true)
            {
                var (name, form) = ((ushort)fields.Uleb(), (ushort)fields.Uleb());
                if (name == 0 && form == 0)
                {
                    break;
                }

                attributes.Add(new DwarfAttribute(name, form, form == ImplicitConstant ? fields.Sleb() : 0));
            }

            table[code] = new DwarfAbbreviation(tag, hasChildren, [.. attributes]);
            if (table.Count > Limit)
            {
                throw new FormatException($"more than {Limit} abbreviations in one table");
            }
        }

        return table;
    }
}
