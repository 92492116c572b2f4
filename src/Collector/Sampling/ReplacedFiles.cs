using ActorProfiler.Collector.Processes;

namespace ActorProfiler.Collector.Sampling;

/// <summary>Processes in which code of a file took the place of another file's, as when a library is loaded anew: its addresses mean other functions, and nothing else would tell.</summary>
internal sealed class ReplacedFiles(TimeProvider time)
{
    /// <summary>A program that loads libraries in turns, each in the place of another, is not read each time.</summary>
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(500);

    private readonly HashSet<TrackedProcess> _replaced = [];

    /// <summary>A process mapped code of a file.</summary>
    public void OnMapped(TrackedProcess tracked, in MemoryMapping mapping)
    {
        if (tracked.Process.Image?.Find(mapping.Start) is { Mapping: { IsFile: true } before } && (before.Device, before.Inode) != (mapping.Device, mapping.Inode))
        {
            _replaced.Add(tracked);
        }
    }

    public void Forget(TrackedProcess tracked) => _replaced.Remove(tracked);

    /// <summary>Takes those that it is time to read again.</summary>
    public IReadOnlyList<TrackedProcess> Due()
    {
        var due = _replaced.Where(tracked => tracked.ReplacedReadAt == 0 || time.GetElapsedTime(tracked.ReplacedReadAt) >= _pause).ToList();
        foreach (var tracked in due)
        {
            tracked.ReplacedReadAt = time.GetTimestamp();
            _replaced.Remove(tracked);
        }

        return due;
    }
}
