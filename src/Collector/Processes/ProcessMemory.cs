using ActorProfiler.Collector.Elf;

namespace ActorProfiler.Collector.Processes;

/// <summary>The memory of another process.</summary>
internal static class ProcessMemory
{
    /// <summary>Opens it for reading by address; the caller closes it. Null when the process is gone or may not be read.</summary>
    /// <remarks>
    /// A page may be behind a file system that the process serves itself, or a fault handler of its own: a read may then never return. Read on a
    /// thread that nothing waits for.
    /// </remarks>
    public static FileSource? Open(ProcessIdentity identity)
    {
        try
        {
            var memory = new FileSource(File.OpenHandle($"/proc/{identity.Pid}/mem"), long.MaxValue);
            if (ProcFiles.IsStill(identity))
            {
                return memory;
            }

            memory.Dispose();
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
