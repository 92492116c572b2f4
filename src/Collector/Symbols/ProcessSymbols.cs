using System.Globalization;
using ActorProfiler.Collector.Elf;
using ActorProfiler.Collector.Processes;
using ActorProfiler.Collector.Symbols.DotNet;
using Microsoft.Win32.SafeHandles;

namespace ActorProfiler.Collector.Symbols;

/// <summary>Names for the addresses of one process. Made and owned by <see cref="SymbolCaches"/>; valid until the round ends.</summary>
internal sealed class ProcessSymbols
{
    private const int UnknownLimit = 4096;

    private static readonly Location _outside = Unknown.Named("[unknown]");
    private static readonly Location _anonymous = Unknown.Named("[anon]");

    private readonly FileSymbols?[] _files;
    private readonly Dictionary<ulong, Location> _unreadable = [];
    private readonly Dictionary<string, Module> _unreadableModules = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Location> _special = new(StringComparer.Ordinal);
    private PerfMap? _perfMap;
    private bool _perfMapIsFresh;

    private readonly Func<SafeFileHandle?> _openRoot;
    private readonly Func<MemoryMapping, AssemblySymbols?> _readAssembly;
    private readonly Dictionary<string, AssemblySymbols?> _assemblies = new(StringComparer.Ordinal);

    /// <param name="files">One for each mapping, null where it has no ELF file; retained by the caller for this object.</param>
    /// <param name="openRoot">Opens the process's root folder, null when it is gone.</param>
    /// <param name="readAssembly">Gives the .NET assembly behind a mapping of the process, null when it cannot be read.</param>
    public ProcessSymbols(ProcessImage image, FileSymbols?[] files, Func<SafeFileHandle?> openRoot, Func<MemoryMapping, AssemblySymbols?> readAssembly) =>
        (Image, _files, _openRoot, _readAssembly) = (image, files, openRoot, readAssembly);

    public ProcessImage Image { get; }

    /// <summary>The perf map read so far; null when none was needed.</summary>
    public PerfMap? PerfMap => _perfMap;

    /// <summary>Names an address of the process.</summary>
    /// <param name="isReturnAddress">
    /// True for all but the innermost frame: the call is before the address, and may be the last instruction of its function.
    /// </param>
    /// <param name="goTableFallback">As <see cref="SymbolOptions.GoTableFallback"/>.</param>
    public Location Resolve(ulong address, bool isReturnAddress, bool goTableFallback = true)
    {
        var at = isReturnAddress && address > 0 ? address - 1 : address;
        var index = Image.FindIndex(at);
        if (index < 0)
        {
            return FindJit(at) ?? _outside;
        }

        if (_files[index] is { } file)
        {
            return file.Resolve(Image.Mappings[index].ToFileAddress(at), goTableFallback);
        }

        return FindJit(at) ?? ResolveWithoutFile(Image.Mappings[index].Mapping, at);
    }

    /// <summary>Takes over the perf map of the same process's last image: a map that grows is not read anew.</summary>
    public void Inherit(ProcessSymbols before) => _perfMap = before._perfMap;

    public void EndRound() => _perfMapIsFresh = false;

    public void Release()
    {
        foreach (var file in _files)
        {
            file?.Release();
        }
    }

    /// <summary>Whether a file was closed since, so that names that were not looked up yet cannot be read.</summary>
    public bool HasClosedFile()
    {
        foreach (var file in _files)
        {
            if (file is { File.IsClosed: true })
            {
                return true;
            }
        }

        return false;
    }

    private Location? FindJit(ulong address)
    {
        if (_perfMap?.Find(address) is { } known)
        {
            return known;
        }

        if (_perfMapIsFresh || Image.Status is not { } status)
        {
            return null;
        }

        // At most once in a round: most unknown addresses stay unknown, and the file may be large.
        _perfMapIsFresh = true;
        _perfMap ??= new PerfMap();
        using var root = _openRoot();
        if (root is not null)
        {
            _perfMap.Refresh(root, status);
        }

        return _perfMap.Find(address);
    }

    private Location ResolveWithoutFile(in MemoryMapping mapping, ulong address)
    {
        if (mapping.Path.Length == 0)
        {
            return _anonymous;
        }

        if (!mapping.IsFile)
        {
            return _special.TryGetValue(mapping.Path, out var special) ? special : _special[mapping.Path] = Unknown.Named(NameOf(mapping.Path));
        }

        if (_unreadable.TryGetValue(address, out var known))
        {
            return known;
        }

        if (_unreadable.Count >= UnknownLimit)
        {
            _unreadable.Clear();
        }

        var offset = address - mapping.Start + mapping.FileOffset;
        return _unreadable[address] = AssemblyOf(mapping)?.Resolve(offset) ?? Unknown.InModule(ModuleOf(mapping), offset);
    }

    private AssemblySymbols? AssemblyOf(in MemoryMapping mapping)
    {
        if (!mapping.Path.EndsWith(".dll", StringComparison.OrdinalIgnoreCase) && !mapping.Path.EndsWith(".exe", StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        return _assemblies.TryGetValue(mapping.Path, out var known) ? known : _assemblies[mapping.Path] = _readAssembly(mapping);
    }

    /// <summary>A file that is not ELF, such as a .NET assembly, has no address space of its own but its offsets.</summary>
    private Module ModuleOf(in MemoryMapping mapping)
    {
        if (!_unreadableModules.TryGetValue(mapping.Path, out var module))
        {
            module = new Module(mapping.Path, "", mapping.FileOffset, mapping.FileOffset + (mapping.End - mapping.Start), mapping.FileOffset);
            _unreadableModules.Add(mapping.Path, module);
        }

        return module;
    }

    private static string NameOf(string path)
    {
        var name = SymbolText.Clean(path);
        return name.StartsWith('[') ? name : string.Create(CultureInfo.InvariantCulture, $"[{name}]");
    }
}
