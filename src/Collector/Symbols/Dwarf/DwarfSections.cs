using ActorProfiler.Collector.Elf;

namespace ActorProfiler.Collector.Symbols.Dwarf;

/// <summary>The debug sections of one file, unpacked. Sections that are absent are empty.</summary>
internal sealed class DwarfSections
{
    private const int SectionBytes = 256 << 20;

    private DwarfSections(ElfFile file)
    {
        Information = Read(file, ".debug_info");
        Abbreviations = Read(file, ".debug_abbrev");
        Lines = Read(file, ".debug_line");
        Strings = Read(file, ".debug_str");
        LineStrings = Read(file, ".debug_line_str");
        StringOffsets = Read(file, ".debug_str_offsets");
        Addresses = Read(file, ".debug_addr");
        Ranges = Read(file, ".debug_ranges");
        RangeLists = Read(file, ".debug_rnglists");
    }

    public byte[] Information { get; }

    public byte[] Abbreviations { get; }

    public byte[] Lines { get; }

    public byte[] Strings { get; }

    public byte[] LineStrings { get; }

    public byte[] StringOffsets { get; }

    public byte[] Addresses { get; }

    public byte[] Ranges { get; }

    public byte[] RangeLists { get; }

    /// <summary>Null when the file has no lines.</summary>
    /// <exception cref="FormatException">A section is damaged or larger than the limit.</exception>
    public static DwarfSections? Read(ElfFile file) =>
        file.Section(".debug_info") is { HasBytes: true } && file.Section(".debug_line") is { HasBytes: true } ? new DwarfSections(file) : null;

    private static byte[] Read(ElfFile file, string name) =>
        file.Section(name) is { HasBytes: true } section ? file.ReadSection(section, SectionBytes) : [];
}
