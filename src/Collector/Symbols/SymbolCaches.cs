using ActorProfiler.Collector.Elf;
using ActorProfiler.Collector.Processes;
using ActorProfiler.Collector.Symbols.DotNet;

namespace ActorProfiler.Collector.Symbols;

/// <summary>All symbol tables of this host, in bounded caches: by process, by build id, and by file for those without one.</summary>
/// <remarks>
/// Two files with one build id and equal contents (<see cref="ContentKey"/>) share a table, so a library in a hundred containers is read once.
/// Names that come from the files of a mount namespace of its own, and lines, which the key does not cover, are not shared beyond it. Locations keep their identity as
/// long as their table is cached. Not for several threads. Does not own the files of the images.
/// </remarks>
internal sealed class SymbolCaches
{
    private readonly RoundCache<int, ProcessSymbols> _processes;
    private readonly RoundCache<string, FileSymbols> _byBuildId;
    private readonly RoundCache<(ElfFile File, string MountNamespace), FileSymbols> _byFile;
    private readonly RoundCache<FileStatus, AssemblySymbols> _assemblies;
    private readonly KernelSymbols _kernel;
    private readonly ProcessRoots _roots;
    private readonly string _mountNamespace = MountNamespaceOf("self");
    private SymbolOptions _options;

    /// <param name="roots">Where files of processes that have ended can still be read.</param>
    public SymbolCaches(SymbolOptions options, KernelSymbols kernel, ProcessRoots roots)
    {
        (_options, _kernel, _roots) = (options, kernel, roots);
        _processes = new(options.PidCacheSize, options.CacheRounds, process => process.Release());
        _byBuildId = new(options.BuildIdCacheSize, options.CacheRounds, file => file.Release());
        _byFile = new(options.SameFileCacheSize, options.CacheRounds, file => file.Release());
        _assemblies = new(options.SameFileCacheSize, options.CacheRounds, _ => { });
    }

    /// <summary>Changed values take effect at once: sizes at the end of the round, other names by emptying the caches.</summary>
    public SymbolOptions Options
    {
        get => _options;
        set
        {
            if ((value.Demangle, value.Lines, value.GoTableFallback) != (_options.Demangle, _options.Lines, _options.GoTableFallback))
            {
                Clear();
            }

            _options = value;
            (_processes.Size, _byBuildId.Size, _byFile.Size, _assemblies.Size) =
                (value.PidCacheSize, value.BuildIdCacheSize, value.SameFileCacheSize, value.SameFileCacheSize);
            (_processes.Rounds, _byBuildId.Rounds, _byFile.Rounds, _assemblies.Rounds) =
                (value.CacheRounds, value.CacheRounds, value.CacheRounds, value.CacheRounds);
        }
    }

    public KernelSymbols Kernel => _kernel;

    public int ProcessCount => _processes.Count;

    public int BuildIdCount => _byBuildId.Count;

    public int SameFileCount => _byFile.Count;

    /// <summary>The symbols of a process as it is in <paramref name="image"/>; valid until <see cref="EndRound"/>.</summary>
    public ProcessSymbols For(ProcessImage image)
    {
        var pid = image.Identity.Pid;
        var isKnown = _processes.TryGet(pid, out var known);
        if (isKnown && ReferenceEquals(known!.Image, image) && !known.HasClosedFile())
        {
            return known;
        }

        var processRoot = $"/proc/{pid}/root";
        var mountNamespace = MountNamespaceOf($"{pid}");
        var files = new FileSymbols?[image.Mappings.Length];
        for (var i = 0; i < files.Length; i++)
        {
            files[i] = image.Mappings[i].File is { } file ? SymbolsOf(file, processRoot, mountNamespace).Retain() : null;
        }

        var symbols = new ProcessSymbols(image, files, () => _roots.Open(image.Identity), mapping => AssemblyOf(image.Identity, mapping));
        if (isKnown && known!.Image.Identity == image.Identity)
        {
            symbols.Inherit(known);
        }

        _processes.Set(pid, symbols);
        return symbols;
    }

    /// <summary>Names an address of a process; see <see cref="ProcessSymbols.Resolve"/>.</summary>
    public static Location Resolve(ProcessSymbols symbols, ulong address, bool isReturnAddress, bool goTableFallback = true) => symbols.Resolve(address, isReturnAddress, goTableFallback);

    /// <summary>Names a kernel address, of the frame itself or a return address.</summary>
    public Location ResolveKernel(ulong address, bool isReturnAddress = false) =>
        _kernel.Resolve(isReturnAddress && address > 0 ? address - 1 : address);

    /// <summary>Ends a collect interval: takes back the places of what is no longer used.</summary>
    public void EndRound()
    {
        _processes.ForEach(process => process.EndRound());
        _processes.EndRound();
        _byBuildId.EndRound();
        _byFile.EndRound();
        _assemblies.EndRound();
        _kernel.EndRound();
    }

    public void Clear()
    {
        _processes.Clear();
        _byBuildId.Clear();
        _byFile.Clear();
        _assemblies.Clear();
    }

    private FileSymbols SymbolsOf(ElfFile file, string processRoot, string mountNamespace)
    {
        var ownKey = (file, mountNamespace);
        if (_byFile.TryGet(ownKey, out var own) && !own.File.IsClosed)
        {
            return own;
        }

        var isShared = file.ContentKey.Length > 0 && !_options.Lines
            && (mountNamespace == _mountNamespace || !DebugFiles.IsUnder(file, processRoot));
        return isShared ? Cached(_byBuildId, file.ContentKey, file, "/") : Cached(_byFile, ownKey, file, processRoot);
    }

    private AssemblySymbols? AssemblyOf(ProcessIdentity process, in MemoryMapping mapping)
    {
        using var root = _roots.Open(process);
        var opened = ElfFiles.OpenMapped(process.Pid, root, mapping);
        if (opened.Handle is not { } handle)
        {
            return null;
        }

        if (_assemblies.TryGet(opened.Status, out var known))
        {
            handle.Dispose();
            return known;
        }

        var read = AssemblySymbols.Read(opened, mapping);
        _assemblies.Set(opened.Status, read);
        return read;
    }

    /// <summary>Such as <c>mnt:[4026531840]</c>; "" when the process is gone.</summary>
    private static string MountNamespaceOf(string pid)
    {
        try
        {
            return File.ResolveLinkTarget($"/proc/{pid}/ns/mnt", returnFinalTarget: false)?.Name ?? "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private FileSymbols Cached<TKey>(RoundCache<TKey, FileSymbols> cache, TKey key, ElfFile file, string processRoot) where TKey : notnull
    {
        if (cache.TryGet(key, out var known) && !known.File.IsClosed)
        {
            return known;
        }

        var symbols = new FileSymbols(file, processRoot, _options.Demangle, _options.Lines).Retain();
        cache.Set(key, symbols);
        return symbols;
    }
}
