using ActorProfiler.Collector.Elf;

namespace ActorProfiler.Collector.Processes;

/// <summary>The small ELF image that the kernel maps into every process. Source: vdso(7).</summary>
internal static class Vdso
{
    private const ulong SizeLimit = 1 << 20;

    /// <summary>Reads this process's own, which is every 64-bit process's; null where there is none.</summary>
    public static ElfFile? Read()
    {
        var maps = ProcFiles.Maps(Environment.ProcessId);
        var mapping = maps is null ? default : MapsParser.ParseExecutable(maps, int.MaxValue).FirstOrDefault(one => one.Path == "[vdso]");
        if (mapping.End == 0 || mapping.End - mapping.Start > SizeLimit)
        {
            return null;
        }

        try
        {
            using var memory = File.OpenHandle("/proc/self/mem");
            var image = new byte[mapping.End - mapping.Start];
            RandomAccess.Read(memory, image, (long)mapping.Start);
            return ElfFile.Read(new MemorySource(image), "[vdso]");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            return null;
        }
    }
}
