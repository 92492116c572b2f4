using System.Buffers.Binary;
using System.Text;

namespace ActorProfiler.Collector.Elf;

/// <summary>Finds exported symbols of an ELF file by name, without keeping its table.</summary>
internal static class DynamicSymbols
{
    private const int EntrySize = 24;
    private const int ValueOffset = 8;
    private const int StringBytes = 64 << 20;

    /// <summary>Virtual address of the defined symbol <paramref name="name"/> in <c>.dynsym</c> or <c>.symtab</c>, or null.</summary>
    /// <exception cref="FormatException">A table reaches past the end of the file or over the limits.</exception>
    public static ulong? FindAddress(ElfFile file, string name)
    {
        foreach (var section in file.Sections)
        {
            if (section.Type is ElfSection.DynamicSymbols or ElfSection.SymbolTable && section.HasBytes
                && section.Link < file.Sections.Length && Find(file, section, Encoding.UTF8.GetBytes(name)) is { } address)
            {
                return address;
            }
        }

        return null;
    }

    /// <summary>The exported symbols (of <c>.dynsym</c>) whose name begins so, with their virtual addresses.</summary>
    /// <exception cref="FormatException">The table reaches past the end of the file or over the limits, or has more than <paramref name="limit"/> of them.</exception>
    public static List<(string Name, ulong Address)> StartingWith(ElfFile file, string prefix, int limit)
    {
        var found = new List<(string, ulong)>();
        foreach (var section in file.Sections)
        {
            if (section.Type == ElfSection.DynamicSymbols && section.HasBytes && section.Link < file.Sections.Length)
            {
                Add(found, file, section, Encoding.UTF8.GetBytes(prefix), limit);
            }
        }

        return found;
    }

    private static void Add(List<(string Name, ulong Address)> found, ElfFile file, ElfSection section, byte[] prefix, int limit)
    {
        var strings = file.ReadSection(file.Sections[(int)section.Link], StringBytes).AsSpan();
        var symbols = file.ReadSection(section, ElfLimits.SymbolTableBytes).AsSpan();
        for (; symbols.Length >= EntrySize; symbols = symbols[EntrySize..])
        {
            var nameOffset = BinaryPrimitives.ReadUInt32LittleEndian(symbols);
            var value = BinaryPrimitives.ReadUInt64LittleEndian(symbols[ValueOffset..]);
            if (value == 0 || nameOffset >= strings.Length || !strings[(int)nameOffset..].StartsWith(prefix))
            {
                continue;
            }

            if (found.Count >= limit)
            {
                throw new FormatException($"{file.Path} exports more than {limit} symbols {Encoding.UTF8.GetString(prefix)}…");
            }

            var rest = strings[(int)nameOffset..];
            var end = rest[..Math.Min(rest.Length, ElfLimits.NameBytes)].IndexOf((byte)0);
            if (end > 0)
            {
                found.Add((Encoding.UTF8.GetString(rest[..end]), value));
            }
        }
    }

    private static ulong? Find(ElfFile file, ElfSection section, byte[] name)
    {
        var strings = file.ReadSection(file.Sections[(int)section.Link], StringBytes);
        var symbols = file.ReadSection(section, ElfLimits.SymbolTableBytes).AsSpan();
        for (; symbols.Length >= EntrySize; symbols = symbols[EntrySize..])
        {
            var nameOffset = BinaryPrimitives.ReadUInt32LittleEndian(symbols);
            var value = BinaryPrimitives.ReadUInt64LittleEndian(symbols[ValueOffset..]);
            if (value != 0 && IsAt(strings, nameOffset, name))
            {
                return value;
            }
        }

        return null;
    }

    private static bool IsAt(ReadOnlySpan<byte> strings, uint offset, ReadOnlySpan<byte> name) =>
        offset < strings.Length && strings[(int)offset..] is var rest
        && rest.Length > name.Length && rest[name.Length] == 0 && rest.StartsWith(name);
}
