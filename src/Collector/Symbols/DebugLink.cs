using ActorProfiler.Collector.Elf;

namespace ActorProfiler.Collector.Symbols;

/// <summary>A program's pointer to its file of debug information.</summary>
/// <param name="Name">File name without folders.</param>
/// <param name="Checksum">CRC-32 of that file, all of it.</param>
internal readonly record struct DebugLink(string Name, uint Checksum)
{
    private const int SectionBytes = 4096;

    /// <summary>Reads <c>.gnu_debuglink</c>: a name, zeros up to a multiple of 4, and the checksum. Source: GDB manual, "Separate Debug Files".</summary>
    /// <returns>Null when there is none, or its name is not that of a file in a folder.</returns>
    /// <exception cref="FormatException">The section is malformed.</exception>
    public static DebugLink? Read(ElfFile file)
    {
        if (file.Section(".gnu_debuglink") is not { HasBytes: true } section)
        {
            return null;
        }

        var fields = new ByteReader(file.ReadSection(section, SectionBytes));
        var name = fields.Text();
        fields.Seek(((ulong)fields.Position + 3) & ~3ul);
        var checksum = fields.U32();
        return name.Length == 0 || name.Contains('/', StringComparison.Ordinal) || name is "." or ".." ? null : new DebugLink(name, checksum);
    }
}
