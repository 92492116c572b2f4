using ActorProfiler.Collector.Processes;

namespace ActorProfiler.Collector.Sampling;

/// <summary>Finds out what a process has mapped: from the journal, which knows it of the dead too, else from <c>/proc</c>.</summary>
internal sealed class ProcessReader(ElfFiles files, MappingJournal journal)
{
    /// <summary>Reads a process that has not been read, and what it has mapped since if the journal tells. It stays without image when it is gone.</summary>
    /// <param name="seenAt">A moment at which it ran: ns, CLOCK_MONOTONIC.</param>
    public void Read(TrackedProcess tracked, ulong seenAt)
    {
        tracked.SeenAt = tracked.SeenAt == 0 ? seenAt : tracked.SeenAt;
        if (!ReadJournal(tracked) && tracked.Process is { Image: null, HasEnded: false } && !journal.BeganAfter(tracked.Identity.Pid, tracked.SeenAt))
        {
            Show(tracked, ProcessImage.Read(tracked.Identity, files));
        }
    }

    /// <summary>Reads it once more: it runs code that is in no mapping known of it.</summary>
    public void ReadAgain(TrackedProcess tracked)
    {
        if (!ReadJournal(tracked) && ProcessImage.Read(tracked.Identity, files) is { } image)
        {
            Show(tracked, image);
        }
    }

    /// <summary>Whether the process, or the program it ran when it was seen, has ended.</summary>
    public bool HasEnded(TrackedProcess tracked) =>
        journal.IsReplaced(tracked.Identity.Pid, tracked.SeenAt) || journal.BeganAfter(tracked.Identity.Pid, tracked.SeenAt) || !ProcFiles.IsStill(tracked.Identity);

    /// <returns>False when the journal does not know the process, or nothing new.</returns>
    public bool ReadJournal(TrackedProcess tracked)
    {
        var mappings = journal.Find(tracked.Identity.Pid, tracked.SeenAt);
        if (mappings.IsDefaultOrEmpty || mappings == tracked.Journaled)
        {
            return false;
        }

        tracked.Journaled = mappings;
        var image = ProcessImage.Of(tracked.Identity, mappings, files);
        Show(tracked, image.Status is null && tracked.Process.Image is { } before ? image with { Comm = before.Comm, Status = before.Status } : image);
        return true;
    }

    /// <summary>Has a process seen as <paramref name="image"/> from now on; null gives its files back.</summary>
    public void Show(TrackedProcess tracked, ProcessImage? image)
    {
        var before = tracked.Process.Image;
        tracked.Process.Image = image;
        if (before is not null)
        {
            files.Release(before.Files);
        }
    }
}
