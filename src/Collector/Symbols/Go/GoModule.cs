using System.Buffers.Binary;
using ActorProfiler.Collector.Elf;

namespace ActorProfiler.Collector.Symbols.Go;

/// <summary>What the runtime's record of the program (moduledata) says that the function table does not.</summary>
/// <param name="Text">Virtual address from which functions are counted.</param>
/// <param name="FunctionData">Offset in the file of the funcdata area; null when it is not found.</param>
internal readonly record struct GoModule(ulong Text, ulong? FunctionData)
{
    private const int DataBytes = 16 << 20;
    private const int RecordSize = 512;
    private const int TextField = 176;
    private const int FunctionDataField118 = 304, FunctionDataField120 = 320;

    /// <summary>Looks for the record in the data sections: it begins with a pointer to the function table.</summary>
    /// <remarks>
    /// Where it is not found (position-independent programs, whose pointers the loader fills in), text is the section of that name and inlined
    /// calls stay unknown. Source: go/src/runtime/symtab.go, type moduledata.
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

        return new GoModule(text, null);
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
                return new GoModule(text, OffsetOf(file, functionData));
            }
        }

        return null;
    }

    private static ulong? OffsetOf(ElfFile file, ulong address)
    {
        foreach (var segment in file.Segments)
        {
            if (segment.Type == ElfSegment.Load && address >= segment.Address && address - segment.Address < segment.FileSize)
            {
                return segment.Offset + (address - segment.Address);
            }
        }

        return null;
    }
}
