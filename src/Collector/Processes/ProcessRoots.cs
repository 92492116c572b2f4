using ActorProfiler.Collector.Elf;
using Microsoft.Win32.SafeHandles;

namespace ActorProfiler.Collector.Processes;

/// <summary>
/// The root folders of processes that generate code, held open: the names such a process has written, and the assemblies it had
/// mapped, can still be read when it has ended and <c>/proc/PID/root</c> is gone.
/// </summary>
/// <remarks>Safe to use from several threads. A root that is held keeps its file system busy: release it.</remarks>
internal sealed class ProcessRoots : IDisposable
{
    private const int MostHeld = 4096;

    private readonly Dictionary<ProcessIdentity, SafeFileHandle> _held = [];
    private readonly Lock _lock = new();

    public int Count => _held.Count;

    /// <summary>Holds the root of a process that runs, until <see cref="Release"/>. Past a bound, or when it is gone, it is not held.</summary>
    public void Hold(ProcessIdentity process)
    {
        lock (_lock)
        {
            if (_held.Count >= MostHeld || _held.ContainsKey(process) || OpenRunning(process) is not { } root)
            {
                return;
            }

            _held.Add(process, root);
        }
    }

    /// <summary>The root folder of a process that runs, or is held; null otherwise. The caller owns the handle.</summary>
    public SafeFileHandle? Open(ProcessIdentity process)
    {
        lock (_lock)
        {
            return _held.TryGetValue(process, out var root) ? SafeOpen.Root($"/proc/self/fd/{root.DangerousGetHandle()}") : OpenRunning(process);
        }
    }

    public void Release(ProcessIdentity process)
    {
        lock (_lock)
        {
            if (_held.Remove(process, out var root))
            {
                root.Dispose();
            }
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (var root in _held.Values)
            {
                root.Dispose();
            }

            _held.Clear();
        }
    }

    /// <summary>The pid is looked at after its root was opened, so that it cannot be that of a later process.</summary>
    private static SafeFileHandle? OpenRunning(ProcessIdentity process)
    {
        var root = SafeOpen.Root($"/proc/{process.Pid}/root");
        if (root is not null && !ProcFiles.IsStill(process))
        {
            root.Dispose();
            return null;
        }

        return root;
    }
}
