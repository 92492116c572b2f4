using System.Buffers.Binary;
using ActorProfiler.Collector.Elf;
using Iced.Intel;

namespace ActorProfiler.Collector.Unwinding;

/// <summary>Where functions begin in code that nothing describes: at symbols and the entry point, and where direct calls and taken addresses point to.</summary>
/// <remarks>Found by a sweep over the instructions; one that is misread, or the address of a label, adds a begin where none is. x86-64 only.</remarks>
internal static class CodeEntries
{
    public const int LargestText = 8 << 20;

    private const int SymbolEntrySize = 24;
    private const int FunctionSymbol = 2;
    private const int InstructionsBetweenChecks = 65_536;

    /// <summary>Offsets from the begin of a section of code.</summary>
    /// <param name="code">The bytes of the section.</param>
    /// <param name="check">Called now and then; ends the work by throwing.</param>
    /// <exception cref="FormatException">A table of symbols reaches past the end of the file.</exception>
    public static HashSet<int> Find(ElfFile file, ElfSection text, byte[] code, Action check)
    {
        var entries = new HashSet<int>();
        AddIfInside(entries, text, file.EntryPoint);
        foreach (var section in file.Sections)
        {
            if (section is { HasBytes: true, Type: ElfSection.DynamicSymbols or ElfSection.SymbolTable } && section.Link < file.Sections.Length)
            {
                AddSymbols(entries, text, file.ReadSection(section, ElfLimits.SymbolTableBytes), file.ReadSection(file.Sections[(int)section.Link], ElfLimits.SymbolTableBytes));
            }
        }

        var decoder = Decoder.Create(64, new ByteArrayCodeReader(code));
        decoder.IP = text.Address;
        for (var count = 1; decoder.IP - text.Address < (ulong)code.Length; count++)
        {
            if (count % InstructionsBetweenChecks == 0)
            {
                check();
            }

            decoder.Decode(out var instruction);
            AddIfInside(entries, text, instruction.FlowControl == FlowControl.Call ? instruction.NearBranchTarget
                : instruction is { Mnemonic: Mnemonic.Lea, IsIPRelativeMemoryOperand: true } ? instruction.IPRelativeMemoryAddress : 0);
        }

        return entries;
    }

    private static void AddIfInside(HashSet<int> entries, ElfSection text, ulong address)
    {
        if (address >= text.Address && address - text.Address < text.Size)
        {
            entries.Add((int)(address - text.Address));
        }
    }

    private static void AddSymbols(HashSet<int> entries, ElfSection text, ReadOnlySpan<byte> symbols, ReadOnlySpan<byte> strings)
    {
        for (; symbols.Length >= SymbolEntrySize; symbols = symbols[SymbolEntrySize..])
        {
            var name = BinaryPrimitives.ReadUInt32LittleEndian(symbols);
            if ((symbols[4] & 0xf) == FunctionSymbol && name < strings.Length && !IsPart(strings[(int)name..]))
            {
                AddIfInside(entries, text, BinaryPrimitives.ReadUInt64LittleEndian(symbols[8..]));
            }
        }
    }

    /// <summary>Whether a name, ended by a zero, is that of a part of a function: one is jumped into with the function's frame.</summary>
    private static bool IsPart(ReadOnlySpan<byte> name) =>
        name[..Math.Max(name.IndexOf((byte)0), 0)].EndsWith(".cold"u8);
}
