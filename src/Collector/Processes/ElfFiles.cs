using System.Collections.Concurrent;
using System.Globalization;
using ActorProfiler.Collector.Elf;
using Microsoft.Win32.SafeHandles;

namespace ActorProfiler.Collector.Processes;

/// <summary>The open ELF files of all processes: each opened once, kept while a process image uses it.</summary>
/// <remarks>
/// A file is identified by device, inode, size and time of modification. An open file keeps its file system busy, so a file that no image
/// has used for <see cref="IdleRounds"/> rounds is closed. Safe to use from several threads.
/// </remarks>
/// <param name="limit">Open files at most; further ones are refused and counted.</param>
internal sealed class ElfFiles(int limit = 4096) : IDisposable
{
    /// <summary>Rounds a file stays open after its last user is gone, so that late samples still get names.</summary>
    public const int IdleRounds = 4;

    private readonly Dictionary<FileStatus, Entry> _files = [];
    private readonly Dictionary<ElfFile, FileStatus> _keys = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<(ulong Device, ulong Inode), FileStatus> _openInodes = [];
    private readonly HashSet<FileStatus> _unreadable = [];
    private readonly ConcurrentDictionary<string, long> _refusals = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();
    private readonly Lazy<ElfFile?> _vdso = new(Processes.Vdso.Read);

    /// <summary>How often a mapped file was not opened, by reason in snake case.</summary>
    public IReadOnlyDictionary<string, long> Refusals => _refusals;

    public int Count => _files.Count;

    /// <summary>The code the kernel maps into every process, or null when it cannot be read.</summary>
    public ElfFile? Vdso => _vdso.Value;

    /// <summary>The ELF file behind a mapping, in use from now until <see cref="Release"/>.</summary>
    /// <returns>Null when it is no ELF file or cannot be read safely; <see cref="Refusals"/> counts why.</returns>
    public ElfFile? Open(int pid, in MemoryMapping mapping)
    {
        if (mapping.Path == "[vdso]")
        {
            return Vdso;
        }

        if (!mapping.IsFile)
        {
            return null;
        }

        using var root = SafeOpen.Root($"/proc/{pid}/root");
        var opened = OpenMapped(pid, root, mapping);
        lock (_lock)
        {
            if (opened.Handle is null && opened.Failure == OpenFailure.NotFound && FindOpen(mapping) is { } known)
            {
                return known;
            }
        }

        if (opened.Handle is null && opened.Failure == OpenFailure.NotFound)
        {
            opened = OpenHere(mapping);
        }

        if (opened.Handle is null)
        {
            return Refuse(ReasonOf(opened.Failure));
        }

        lock (_lock)
        {
            return Use(opened.Handle, opened.Status, mapping.Path);
        }
    }

    /// <summary>Says that one user of each file is gone.</summary>
    public void Release(IEnumerable<ElfFile> files)
    {
        lock (_lock)
        {
            foreach (var file in files)
            {
                if (_keys.TryGetValue(file, out var key))
                {
                    _files[key].Users--;
                }
            }
        }
    }

    /// <summary>Closes the files that have been unused for long enough. Call once per collect interval.</summary>
    public void EndRound()
    {
        lock (_lock)
        {
            foreach (var (key, entry) in _files)
            {
                entry.IdleRounds = entry.Users > 0 ? 0 : entry.IdleRounds + 1;
                if (entry.IdleRounds > IdleRounds)
                {
                    _files.Remove(key);
                    _keys.Remove(entry.File);
                    _openInodes.Remove((key.Device, key.Inode));
                    entry.File.Dispose();
                }
            }

            if (_unreadable.Count > limit)
            {
                _unreadable.Clear();
            }
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (var entry in _files.Values)
            {
                entry.File.Dispose();
            }

            _files.Clear();
            _keys.Clear();
            _openInodes.Clear();
        }
    }

    /// <summary>The file of a process that is gone, if it is open for another one: while it is, no other file gets its inode.</summary>
    private ElfFile? FindOpen(in MemoryMapping mapping)
    {
        if (!_openInodes.TryGetValue((mapping.Device, mapping.Inode), out var status) || !_files.TryGetValue(status, out var entry))
        {
            return null;
        }

        entry.Users++;
        return entry.File;
    }

    private ElfFile? Use(SafeFileHandle handle, FileStatus status, string path)
    {
        if (_files.TryGetValue(status, out var known))
        {
            handle.Dispose();
            known.Users++;
            return known.File;
        }

        if (_files.Count >= limit || _unreadable.Contains(status))
        {
            handle.Dispose();
            return Refuse(_files.Count >= limit ? "file_limit" : "not_elf");
        }

        try
        {
            var file = ElfFile.Read(new FileSource(handle, status.Size), path);
            _files.Add(status, new Entry(file));
            _openInodes[(status.Device, status.Inode)] = status;
            _keys.Add(file, status);
            return file;
        }
        catch (FormatException)
        {
            _unreadable.Add(status);
            return Refuse("not_elf");
        }
    }

    /// <summary>Opens the file behind a mapping, of whatever kind it is; the caller owns the handle.</summary>
    /// <param name="root">The process's root folder, null when it is gone.</param>
    public static OpenedFile OpenMapped(int pid, SafeFileHandle? root, in MemoryMapping mapping)
    {
        var byPath = OpenByPath(root, mapping);
        if (byPath.Handle is not null)
        {
            return byPath;
        }

        // Deleted, replaced, or on a file system that reports other numbers (overlayfs, btrfs): the kernel knows which file is mapped.
        var range = string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/map_files/{mapping.Start:x}-{mapping.End:x}");
        return SafeOpen.Trusted(range, ElfLimits.FileBytes);
    }

    /// <summary>The file of a process that is gone, as this process sees it.</summary>
    private static OpenedFile OpenHere(in MemoryMapping mapping)
    {
        using var root = SafeOpen.Root("/proc/self/root");
        return OpenByPath(root, mapping);
    }

    /// <summary>Opens a path, if the mapped file is what it leads to.</summary>
    private static OpenedFile OpenByPath(SafeFileHandle? root, in MemoryMapping mapping)
    {
        if (root is null)
        {
            return new OpenedFile(null, default, OpenFailure.NotFound);
        }

        var opened = SafeOpen.Under(root, mapping.Path, ElfLimits.FileBytes);
        if (opened.Handle is null || (opened.Status.Inode == mapping.Inode && opened.Status.Device == mapping.Device))
        {
            return opened;
        }

        opened.Handle.Dispose();
        return new OpenedFile(null, default, OpenFailure.NotFound);
    }

    private ElfFile? Refuse(string reason)
    {
        _refusals.AddOrUpdate(reason, 1, (_, before) => before + 1);
        return null;
    }

    private static string ReasonOf(OpenFailure failure) => failure switch
    {
        OpenFailure.NotFound => "gone",
        OpenFailure.NotRegular => "not_regular",
        OpenFailure.TooLarge => "too_large",
        OpenFailure.UnansweringFileSystem => "fuse",
        OpenFailure.Denied => "denied",
        OpenFailure.TooManyOpenFiles => "too_many_open_files",
        _ => "other",
    };

    private sealed class Entry(ElfFile file)
    {
        public ElfFile File { get; } = file;

        public int Users { get; set; } = 1;

        public int IdleRounds { get; set; }
    }
}
