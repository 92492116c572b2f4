using System.Runtime.InteropServices;
using System.Text;
using ActorProfiler.Collector.Elf.Native;
using Microsoft.Win32.SafeHandles;

namespace ActorProfiler.Collector.Elf;

/// <summary>A folder of another process's file system, such as its <c>/tmp</c>, in which names are used without following links.</summary>
/// <remarks>
/// The folder is resolved inside the process's root; a name in it is never a path. So a link that the process's owner puts there leads
/// nowhere. Source: openat2(2), unlinkat(2).
/// </remarks>
internal sealed unsafe class ForeignFolder : IDisposable
{
    private const uint TypeMask = 0xf000;
    private const uint SocketType = 0xc000;

    private readonly SafeFileHandle _handle;

    private ForeignFolder(SafeFileHandle handle) => _handle = handle;

    /// <summary>Null when the process or the folder is gone or denied.</summary>
    /// <param name="path">As the process sees it.</param>
    public static ForeignFolder? Open(int pid, string path)
    {
        using var root = SafeOpen.Root($"/proc/{pid}/root");
        return root is null ? null : Under(root, path);
    }

    /// <summary>As <see cref="Open"/>, with the process's root folder open.</summary>
    public static ForeignFolder? Under(SafeFileHandle root, string path) =>
        SafeOpen.FolderUnder(root, path) is { } handle ? new ForeignFolder(handle) : null;

    /// <summary>An O_PATH handle of the socket <paramref name="name"/>; null when it is missing, no socket, or of another owner.</summary>
    public SafeFileHandle? FindSocket(string name, ReadOnlySpan<uint> allowedOwners)
    {
        var handle = OpenName(name, LibC.PathOnly | LibC.NoFollow | LibC.CloseOnExec);
        LibC.Statx status = default;
        var empty = (byte)0;
        if (!handle.IsInvalid
            && LibC.statx((int)handle.DangerousGetHandle(), &empty, LibC.EmptyPath, LibC.BasicStats, &status) == 0
            && (status.Mode & TypeMask) == SocketType && allowedOwners.Contains(status.Owner))
        {
            return handle;
        }

        handle.Dispose();
        return null;
    }

    /// <summary>Whether the name is there, whatever it is.</summary>
    public bool Contains(string name)
    {
        using var handle = OpenName(name, LibC.PathOnly | LibC.NoFollow | LibC.CloseOnExec);
        return !handle.IsInvalid;
    }

    /// <summary>Makes an empty file that must not exist. False when that failed.</summary>
    public bool Create(string name)
    {
        using var handle = OpenName(name, LibC.WriteOnly | LibC.CreateNew | LibC.NoFollow | LibC.CloseOnExec, mode: 0x180 /* 0600 */);
        return !handle.IsInvalid;
    }

    /// <summary>Removes a file. False when there was none, or that failed.</summary>
    public bool Remove(string name)
    {
        fixed (byte* bytes = Terminated(name))
        {
            return LibC.unlinkat((int)_handle.DangerousGetHandle(), bytes, 0) == 0;
        }
    }

    public void Dispose() => _handle.Dispose();

    private SafeFileHandle OpenName(string name, int flags, uint mode = 0)
    {
        fixed (byte* bytes = Terminated(name))
        {
            return new SafeFileHandle(LibC.openat((int)_handle.DangerousGetHandle(), bytes, flags, mode), ownsHandle: true);
        }
    }

    private static byte[] Terminated(string name) =>
        name.Contains('/', StringComparison.Ordinal) ? throw new ArgumentException($"'{name}' is a path, not a name", nameof(name)) : Encoding.UTF8.GetBytes(name + '\0');
}
