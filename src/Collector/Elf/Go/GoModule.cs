using System.Buffers.Binary;

namespace ActorProfiler.Collector.Elf.Go;

/// <summary>What the runtime's record of the program (moduledata) says that the function table does not.</summary>
/// <param name="Text">Virtual address from which functions are counted.</param>
/// <param name="FunctionData">Offset in the file of the funcdata area; null when it is not found.</param>
internal readonly record struct GoModule(ulong Text, ulong? FunctionData)
{
    private const int DataBytes = 16 << 20;
    private const int RelocationBytes = 64 << 20;
    private const int RelocationSize = 24; // Elf64_Rela: place, kind, value
    private const int RecordSize = 512;
    private const int TextField = 176;
    private const int FunctionDataField118 = 304, FunctionDataField120 = 320;

    /// <summary>Looks for the record in the data sections: it begins with a pointer to the function table.</summary>
    /// <remarks>
    /// In position-independent programs the loader fills in its pointers, so there they are read from the relocations. Where it is not found,
    /// text is the section of that name and inlined calls stay unknown. Source: go/src/runtime/symtab.go, type moduledata.
    /// </remarks>
    public static GoModule Find(ElfFile file, ElfSection table, bool has120)
    {
        var text = file.Section(".text")?.Address ?? file.Module.Start;
        foreach (var name in (ReadOnlySpan<string>)[".go.module", ".noptrdata", ".data", ".data.rel.ro"])
        {
            if (file.Section(name) is { HasBytes: true, Size: <= DataBytes } section && !section.IsCompressed &&
                FindIn(file, file.ReadSection(section, DataBytes), table.Address, has120) is { } found)
            {
                return found;
            }
        }

        return FindInRelocations(file, table.Address, has120) ?? new GoModule(text, null);
    }

    private static GoModule? FindInRelocations(ElfFile file, ulong table, bool has120)
    {
        foreach (var section in file.Sections)
        {
            if (section.Type != ElfSection.RelocationsWithAddends || section.IsCompressed || section.Size > RelocationBytes)
            {
                continue;
            }

            var relocations = file.ReadSection(section, RelocationBytes);
            if (PlaceOf(relocations, table) is { } record
                && ValueAt(relocations, record + TextField) is { } text && file.IsCode(text))
            {
                var functionData = ValueAt(relocations, record + (ulong)(has120 ? FunctionDataField120 : FunctionDataField118));
                return new GoModule(text, functionData is { } address ? file.OffsetOf(address) : null);
            }
        }

        return null;
    }

    /// <summary>Where the loader writes a value, or null.</summary>
    private static ulong? PlaceOf(ReadOnlySpan<byte> relocations, ulong value)
    {
        for (; relocations.Length >= RelocationSize; relocations = relocations[RelocationSize..])
        {
            if (BinaryPrimitives.ReadUInt64LittleEndian(relocations[16..]) == value)
            {
                return BinaryPrimitives.ReadUInt64LittleEndian(relocations);
            }
        }

        return null;
    }

    /// <summary>What the loader writes at a place, or null.</summary>
    private static ulong? ValueAt(ReadOnlySpan<byte> relocations, ulong place)
    {
        for (; relocations.Length >= RelocationSize; relocations = relocations[RelocationSize..])
        {
            if (BinaryPrimitives.ReadUInt64LittleEndian(relocations) == place)
            {
                return BinaryPrimitives.ReadUInt64LittleEndian(relocations[16..]);
            }
        }

        return null;
    }

    private static GoModule? FindIn(ElfFile file, byte[] data, ulong table, bool has120)
    {
        for (var at = 0; at + RecordSize <= data.Length; at += 8)
        {
            var record = data.AsSpan(at);
            if (BinaryPrimitives.ReadUInt64LittleEndian(record) != table)
            {
                continue;
            }

            var text = BinaryPrimitives.ReadUInt64LittleEndian(record[TextField..]);
            var functionData = BinaryPrimitives.ReadUInt64LittleEndian(record[(has120 ? FunctionDataField120 : FunctionDataField118)..]);
            if (file.IsCode(text))
            {
                return new GoModule(text, file.OffsetOf(functionData));
            }
        }

        return null;
    }
}
