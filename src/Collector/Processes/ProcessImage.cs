using System.Collections.Immutable;
using ActorProfiler.Collector.Elf;

namespace ActorProfiler.Collector.Processes;

/// <summary>The executable mappings of one program image, as they were at one moment.</summary>
/// <remarks>
/// Each image is one user of its files in <see cref="ElfFiles"/>; give it back with <see cref="ElfFiles.Release"/> and
/// <see cref="Files"/> when the process ends or a newer image takes its place.
/// </remarks>
/// <param name="Mappings">By address, not overlapping.</param>
/// <param name="Comm">Name of the main thread when it was read.</param>
/// <param name="Status">Owner and pid inside its namespace; null when it could not be read.</param>
internal sealed record ProcessImage(ProcessIdentity Identity, ImmutableArray<MappedFile> Mappings, string Comm, ProcStatus? Status)
{
    private const int MappingLimit = 65536;

    /// <summary>The pid by which the process knows itself, as far as it could be read.</summary>
    public int NamespacePid => Status?.NamespacePid ?? Identity.Pid;

    /// <summary>The file in the process's <c>/tmp</c> in which a runtime names the code it generates.</summary>
    public string PerfMapName => PerfMapOf(NamespacePid);

    /// <summary>It runs code that is in no file: a JIT's.</summary>
    public bool HasGeneratedCode => Mappings.Any(mapped => !mapped.Mapping.IsFile && !mapped.Mapping.Path.StartsWith('['));

    public IEnumerable<ElfFile> Files => Mappings.Select(mapping => mapping.File).OfType<ElfFile>();

    /// <summary><see cref="PerfMapName"/> of the process that knows itself by this pid.</summary>
    public static string PerfMapOf(int namespacePid) => $"perf-{namespacePid}.map";

    /// <summary>Reads a process and opens its files.</summary>
    /// <returns>Null when the process is gone, is a kernel thread, or its pid belongs to a later process by now.</returns>
    public static ProcessImage? Read(ProcessIdentity identity, ElfFiles files)
    {
        // The identity is looked at right after the maps: a process that ends while its files are opened is still read. A file that
        // another process put in its place meanwhile is not taken for it: each is compared with the maps' device and inode.
        if (ProcFiles.Maps(identity.Pid) is not { Length: > 0 } maps || !ProcFiles.IsStill(identity))
        {
            return null;
        }

        return Of(identity, MapsParser.ParseExecutable(maps, MappingLimit), files);
    }

    /// <summary>The image of a process whose executable mappings are known, by address; it may be gone by now.</summary>
    public static ProcessImage Of(ProcessIdentity identity, ImmutableArray<MemoryMapping> mappings, ElfFiles files)
    {
        var pid = identity.Pid;
        ImmutableArray<MappedFile> mapped = [.. mappings.Select(mapping => new MappedFile(mapping, files.Open(pid, mapping)))];
        return ProcFiles.IsStill(identity)
            ? new ProcessImage(identity, mapped, ProcFiles.Comm(pid) ?? "", ProcFiles.Status(pid)) : new ProcessImage(identity, mapped, "", Status: null);
    }

    /// <summary>The mapping that holds an address, or null.</summary>
    public MappedFile? Find(ulong address)
    {
        var index = FindIndex(address);
        return index < 0 ? null : Mappings[index];
    }

    /// <summary>Index in <see cref="Mappings"/> of the one that holds an address, or -1.</summary>
    public int FindIndex(ulong address)
    {
        var (low, high) = (0, Mappings.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            var mapping = Mappings[middle].Mapping;
            if (address >= mapping.Start && address < mapping.End)
            {
                return middle;
            }

            (low, high) = address < mapping.Start ? (low, middle - 1) : (middle + 1, high);
        }

        return -1;
    }
}
