namespace ActorProfiler.Collector.Processes;

/// <summary>One line of <c>/proc/PID/maps</c>. Source: proc_pid_maps(5).</summary>
/// <param name="Start">First address in the process.</param>
/// <param name="End">End, exclusive.</param>
/// <param name="FileOffset">Offset in the file of <paramref name="Start"/>.</param>
/// <param name="Device">Major and minor number of the file's device, as <c>major &lt;&lt; 32 | minor</c>.</param>
/// <param name="Inode">0 for memory without a file.</param>
/// <param name="Path">Path, pseudo-path such as <c>[vdso]</c>, or "". The suffix <c> (deleted)</c> is left on.</param>
public readonly record struct MemoryMapping(
    ulong Start, ulong End, ulong FileOffset, bool IsExecutable, ulong Device, ulong Inode, string Path)
{
    /// <summary>A file of a file system, so one that may hold ELF code.</summary>
    public bool IsFile => Inode != 0 && Path.StartsWith('/') && !Path.StartsWith("/memfd:", StringComparison.Ordinal);
}
