using System.IO.Hashing;
using ActorProfiler.Collector.Elf;
using Microsoft.Win32.SafeHandles;

namespace ActorProfiler.Collector.Symbols;

/// <summary>Finds the separate file of debug information that belongs to a program.</summary>
/// <remarks>
/// Looked for first as the process sees its files and then as this host does: by build id in <c>/usr/lib/debug/.build-id</c>, then by debug
/// link beside the program, in <c>.debug</c> beside it, and under <c>/usr/lib/debug</c>. A file counts only when its build id or its
/// checksum is right: a debug file of another build would give wrong names.
/// </remarks>
internal static class DebugFiles
{
    private const int ChunkBytes = 1 << 20;

    /// <summary>Opens it; the caller owns it. Null when there is none.</summary>
    /// <param name="processRoot">A folder such as <c>/proc/PID/root</c>.</param>
    public static ElfFile? Find(ElfFile file, string processRoot)
    {
        foreach (var folder in (ReadOnlySpan<string>)[processRoot, "/"])
        {
            using var root = SafeOpen.Root(folder);
            if (root is not null && Find(file, root) is { } found)
            {
                return found;
            }
        }

        return null;
    }

    /// <summary>Whether there is one among the process's own files.</summary>
    public static bool IsUnder(ElfFile file, string processRoot)
    {
        using var root = SafeOpen.Root(processRoot);
        using var found = root is null ? null : Find(file, root);
        return found is not null;
    }

    private static ElfFile? Find(ElfFile file, SafeFileHandle root)
    {
        if (file.BuildId.Length > 2 && !file.BuildId.Contains('/', StringComparison.Ordinal))
        {
            var path = $"/usr/lib/debug/.build-id/{file.BuildId[..2]}/{file.BuildId[2..]}.debug";
            if (Open(root, path) is { } source && ReadIf(source, path, debug => debug.BuildId == file.BuildId) is { } found)
            {
                return found;
            }
        }

        return LinkOf(file) is { } link ? FindLinked(file, root, link) : null;
    }

    private static ElfFile? FindLinked(ElfFile file, SafeFileHandle root, DebugLink link)
    {
        const string Deleted = " (deleted)";
        var path = file.Path.EndsWith(Deleted, StringComparison.Ordinal) ? file.Path[..^Deleted.Length] : file.Path;
        var folder = path[..(path.LastIndexOf('/') + 1)];
        foreach (var candidate in (ReadOnlySpan<string>)[folder + link.Name, $"{folder}.debug/{link.Name}", $"/usr/lib/debug{folder}{link.Name}"])
        {
            if (candidate != path && Open(root, candidate) is { } source &&
                ReadIf(source, candidate, debug => ChecksumOf(debug.Source) == link.Checksum) is { } found)
            {
                return found;
            }
        }

        return null;
    }

    private static DebugLink? LinkOf(ElfFile file)
    {
        try
        {
            return DebugLink.Read(file);
        }
        catch (FormatException)
        {
            return null; // a program with a broken link is one without debug information
        }
    }

    private static FileSource? Open(SafeFileHandle root, string path)
    {
        var opened = SafeOpen.Under(root, path, ElfLimits.FileBytes);
        return opened.Handle is { } handle ? new FileSource(handle, opened.Status.Size) : null;
    }

    private static ElfFile? ReadIf(FileSource source, string path, Func<ElfFile, bool> belongs)
    {
        try
        {
            var file = ElfFile.Read(source, path);
            if (belongs(file))
            {
                return file;
            }

            file.Dispose();
            return null;
        }
        catch (FormatException)
        {
            return null; // a broken file of debug information is none
        }
    }

    private static uint ChecksumOf(IByteSource source)
    {
        var checksum = new Crc32();
        var buffer = new byte[ChunkBytes];
        for (long at = 0; source.ReadFully(at, buffer) is var read and > 0; at += read)
        {
            checksum.Append(buffer.AsSpan(0, read));
        }

        return checksum.GetCurrentHashAsUInt32();
    }
}
