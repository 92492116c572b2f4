using ActorProfiler.Collector.Elf;

namespace ActorProfiler.Collector.Sampling;

/// <summary>The unwind table of one executable where the BPF programs find it.</summary>
/// <param name="Pieces">Empty when the file describes no function, or was refused.</param>
/// <param name="Key">The file's content; "" when it cannot be told.</param>
internal sealed record InstalledTable(IReadOnlyList<TablePiece> Pieces, string Key, ElfFile File)
{
    /// <summary>Processes whose rows name it. It stays while there are any.</summary>
    public int Users { get; set; }

    /// <summary>Larger is later.</summary>
    public long LastUse { get; set; }

    /// <summary>It could not be compiled, and is not tried again.</summary>
    public bool IsQuarantined { get; init; }
}
