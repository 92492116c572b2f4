namespace ActorProfiler.Collector.Symbols.Dwarf;

/// <summary>The attributes of one entry that matter for names and lines; others are passed over.</summary>
internal struct DwarfEntry
{
    public ushort Tag;
    public bool HasChildren;

    /// <summary>Offset of the next entry beside this one, 0 when unknown.</summary>
    public int Sibling;

    public ulong? Low;

    /// <summary>Exclusive; a length from Low when <see cref="HighIsLength"/>.</summary>
    public ulong? High;

    public bool HighIsLength;

    public (ulong Value, ushort Form)? Ranges;

    public (ulong Value, ushort Form)? Name;

    public (ulong Value, ushort Form)? LinkageName;

    public (ulong Value, ushort Form)? Folder;

    /// <summary>Offset in <c>.debug_info</c> of the entry this one is an instance of.</summary>
    public int? Origin;

    public ulong CallFile;

    public ulong CallLine;

    public ulong DeclarationLine;

    public ulong? LineProgram;

    public ulong? AddressBase;

    public ulong? StringOffsetsBase;

    public ulong? RangeListsBase;
}
