namespace ActorProfiler.Collector.Elf;

internal enum ElfMachine : ushort
{
    X64 = 62,
    Arm64 = 183,
}

/// <summary>One section header, with its name. Source: elf(5).</summary>
/// <param name="Address">Virtual address, 0 when it is not loaded.</param>
/// <param name="Link">Index of another section: a symbol table's strings.</param>
internal readonly record struct ElfSection(
    string Name, uint Type, ulong Flags, ulong Address, ulong Offset, ulong Size, uint Link, uint Information)
{
    public const uint ProgramBits = 1;
    public const uint SymbolTable = 2;
    public const uint RelocationsWithAddends = 4;
    public const uint Note = 7;
    public const uint NoBits = 8;
    public const uint DynamicSymbols = 11;
    public const uint X64Unwind = 0x70000001;
    public const ulong Compressed = 0x800;

    /// <summary>False for sections without bytes in this file, as most are in a file of debug information.</summary>
    public bool HasBytes => Type != NoBits;

    public bool IsCompressed => (Flags & Compressed) != 0;

    public bool Contains(ulong address) => address >= Address && address - Address < Size;
}

/// <summary>One program header. Source: elf(5).</summary>
internal readonly record struct ElfSegment(
    uint Type, uint Flags, ulong Offset, ulong Address, ulong FileSize, ulong MemorySize)
{
    public const uint Load = 1;
    public const uint NoteSegment = 4;
    public const uint EhFrameHeader = 0x6474e550;

    public bool IsCode => Type == Load && (Flags & 1) != 0;
}

/// <summary>Bounds on what a file may ask for: root reads files that anyone may have written.</summary>
internal static class ElfLimits
{
    public const long FileBytes = 4L << 30;
    public const int Headers = 4096;
    public const int SectionNameBytes = 1 << 20;
    public const int SymbolTableBytes = 64 << 20;
    public const int NoteBytes = 64 << 10;
    public const int NameBytes = 4096;
    public const int FrameBytes = 64 << 20;
    public const int GoTableBytes = 256 << 20;
    public const int MiniDebugBytes = 64 << 20;
}
