using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ActorProfiler.Aggregator.Outbox.Native;

/// <summary>fsync(2), with its failures: <see cref="RandomAccess.FlushToDisk"/> and <see cref="FileStream.Flush(bool)"/> keep an EIO to themselves.</summary>
internal static partial class DiskSync
{
    // open(2), Linux: O_RDONLY | O_DIRECTORY | O_CLOEXEC
    private const int ReadFolder = 0x10000 | 0x80000;

    /// <summary>Puts what was written to a file on disk.</summary>
    /// <exception cref="IOException">The disk failed. The kernel may have dropped what was written: it has to be written again.</exception>
    public static void File(SafeFileHandle file, string path)
    {
        if (fsync(file) < 0)
        {
            throw Failed("sync", path);
        }
    }

    /// <summary>Puts the names in a folder on disk: without it, a new file may be gone after a power loss however often it was synced.</summary>
    /// <exception cref="IOException">The folder cannot be opened or the disk failed.</exception>
    public static void Folder(string path)
    {
        using var folder = open(path, ReadFolder);
        if (folder.IsInvalid)
        {
            throw Failed("open", path);
        }

        File(folder, path);
    }

    private static IOException Failed(string what, string path)
    {
        var error = Marshal.GetLastPInvokeError();
        return new IOException($"{what} {path}: {Marshal.GetPInvokeErrorMessage(error)} (errno {error})");
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle open(string path, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(SafeFileHandle descriptor);
}
