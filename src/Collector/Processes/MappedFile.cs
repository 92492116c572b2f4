using ActorProfiler.Collector.Elf;

namespace ActorProfiler.Collector.Processes;

/// <summary>One executable mapping of a process and the ELF file behind it.</summary>
/// <param name="File">Null for memory without a file, and for files that are not ELF or cannot be read.</param>
internal sealed record MappedFile(MemoryMapping Mapping, ElfFile? File)
{
    /// <summary>What to subtract from an address in the process to get the file's virtual address; 0 without a file.</summary>
    public ulong Bias { get; } = File is null ? 0 : unchecked(Mapping.Start - File.ToFileAddress(Mapping.Start, Mapping.FileOffset, Mapping.Start));

    /// <summary>The file's virtual address of an address in the process.</summary>
    public ulong ToFileAddress(ulong address) => unchecked(address - Bias);
}
