using System.Runtime.InteropServices;
using System.Text;
using ActorProfiler.Collector.Elf.Native;
using Microsoft.Win32.SafeHandles;

namespace ActorProfiler.Collector.Elf;

internal enum OpenFailure
{
    None,
    NotFound,
    NotRegular,
    TooLarge,
    WrongOwner,
    UnansweringFileSystem,
    Denied,
    TooManyOpenFiles,
    Other,
}

/// <param name="Device">As <c>major &lt;&lt; 32 | minor</c>.</param>
/// <param name="Modified">Nanoseconds since 1970.</param>
/// <param name="Owner">User id in this process's user namespace.</param>
internal readonly record struct FileStatus(ulong Device, ulong Inode, long Size, long Modified, uint Owner);

/// <param name="Handle">Null when <paramref name="Failure"/> is set; else the caller owns it.</param>
internal readonly record struct OpenedFile(SafeFileHandle? Handle, FileStatus Status, OpenFailure Failure);

/// <summary>Opens files that other users name and own, for a reader that is root.</summary>
/// <remarks>
/// A path is first opened without reading (O_PATH), so that a FIFO or device neither blocks nor acts; looked at; and only a regular file
/// within the limits is opened for reading, through <c>/proc/self/fd</c>, which cannot be swapped in between.
/// Links are followed inside the given root only and never through /proc. Files of FUSE are refused: their owner decides when a read returns.
/// Source: openat2(2), path_resolution(7).
/// </remarks>
internal static unsafe class SafeOpen
{
    private const uint TypeMask = 0xf000;
    private const uint RegularFile = 0x8000;
    private const long FuseMagic = 0x65735546;

    /// <summary>An O_PATH handle of a folder to resolve paths under, such as <c>/proc/PID/root</c>; null when it is gone or denied.</summary>
    public static SafeFileHandle? Root(string folder)
    {
        var handle = Open(folder, LibC.PathOnly | LibC.CloseOnExec);
        if (!handle.IsInvalid)
        {
            return handle;
        }

        handle.Dispose();
        return null;
    }

    /// <summary>Opens a path as the owner of <paramref name="root"/> sees it.</summary>
    /// <param name="allowedOwners">Empty when any owner will do.</param>
    public static OpenedFile Under(SafeFileHandle root, string path, long sizeLimit, ReadOnlySpan<uint> allowedOwners = default)
    {
        using var found = OpenUnder(root, path);
        return found.IsInvalid ? Failed(Marshal.GetLastPInvokeError()) : Reopen(found, sizeLimit, allowedOwners);
    }

    /// <summary>An O_PATH handle of a folder as the owner of <paramref name="root"/> sees it, or null.</summary>
    public static SafeFileHandle? FolderUnder(SafeFileHandle root, string path)
    {
        var handle = OpenUnder(root, path, LibC.Folder);
        if (!handle.IsInvalid)
        {
            return handle;
        }

        handle.Dispose();
        return null;
    }

    /// <summary>Opens a path whose folders only root can change, such as <c>/proc/PID/map_files/…</c> or <c>/usr/lib/debug/…</c>.</summary>
    public static OpenedFile Trusted(string path, long sizeLimit)
    {
        using var found = Open(path, LibC.PathOnly | LibC.CloseOnExec);
        return found.IsInvalid ? Failed(Marshal.GetLastPInvokeError()) : Reopen(found, sizeLimit, []);
    }

    private static OpenedFile Reopen(SafeFileHandle found, long sizeLimit, ReadOnlySpan<uint> allowedOwners)
    {
        LibC.Statx status = default;
        LibC.StatFs fileSystem = default;
        var empty = (byte)0;
        var file = (int)found.DangerousGetHandle();
        if (LibC.statx(file, &empty, LibC.EmptyPath, LibC.BasicStats, &status) < 0 || LibC.fstatfs(file, &fileSystem) < 0)
        {
            return Failed(Marshal.GetLastPInvokeError());
        }

        var failure = Judge(status, fileSystem, sizeLimit, allowedOwners);
        if (failure != OpenFailure.None)
        {
            return new OpenedFile(null, default, failure);
        }

        var handle = Open($"/proc/self/fd/{file}", LibC.ReadOnly | LibC.NonBlocking | LibC.CloseOnExec);
        if (handle.IsInvalid)
        {
            var error = Marshal.GetLastPInvokeError();
            handle.Dispose();
            return Failed(error);
        }

        return new OpenedFile(handle, ToStatus(status), OpenFailure.None);
    }

    private static OpenFailure Judge(in LibC.Statx status, in LibC.StatFs fileSystem, long sizeLimit, ReadOnlySpan<uint> allowedOwners)
    {
        if ((status.Mode & TypeMask) != RegularFile)
        {
            return OpenFailure.NotRegular;
        }

        if (fileSystem.Type == FuseMagic)
        {
            return OpenFailure.UnansweringFileSystem;
        }

        if (status.Size > (ulong)sizeLimit)
        {
            return OpenFailure.TooLarge;
        }

        return allowedOwners.Length > 0 && !allowedOwners.Contains(status.Owner) ? OpenFailure.WrongOwner : OpenFailure.None;
    }

    private static FileStatus ToStatus(in LibC.Statx status) => new(
        (ulong)status.DeviceMajor << 32 | status.DeviceMinor,
        status.Inode,
        (long)status.Size,
        unchecked(status.ModifiedSeconds * 1_000_000_000 + status.ModifiedNanoseconds),
        status.Owner);

    private static SafeFileHandle OpenUnder(SafeFileHandle root, string path, int flags = 0)
    {
        var how = new LibC.OpenHow
        {
            Flags = (ulong)(LibC.PathOnly | LibC.CloseOnExec | flags),
            Resolve = LibC.ResolveInRoot | LibC.ResolveNoMagicLinks,
        };
        fixed (byte* name = Terminated(path))
        {
            var file = LibC.syscall(LibC.OpenAt2Number, (int)root.DangerousGetHandle(), name, &how, (nuint)sizeof(LibC.OpenHow));
            return new SafeFileHandle((nint)file, ownsHandle: true);
        }
    }

    private static SafeFileHandle Open(string path, int flags)
    {
        fixed (byte* name = Terminated(path))
        {
            return new SafeFileHandle(LibC.open(name, flags, 0), ownsHandle: true);
        }
    }

    private static byte[] Terminated(string path) => Encoding.UTF8.GetBytes(path + '\0');

    private static OpenedFile Failed(int error) => new(null, default, error switch
    {
        LibC.NoEntry or LibC.NoProcess or LibC.NotAFolder => OpenFailure.NotFound,
        LibC.AccessDenied or LibC.NotPermitted => OpenFailure.Denied,
        LibC.ProcessFileLimit or LibC.SystemFileLimit => OpenFailure.TooManyOpenFiles,
        _ => OpenFailure.Other,
    });
}
