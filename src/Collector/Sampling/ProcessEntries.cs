using ActorProfiler.Collector.Sampling.Native;

namespace ActorProfiler.Collector.Sampling;

/// <summary>What the BPF programs are told of each process.</summary>
/// <param name="map">Map <c>processes</c>.</param>
internal sealed class ProcessEntries(BpfMap map, UnwindTableStore tables, ProcessInterpreters interpreters, TimeProvider time)
{
    /// <summary>Has a process announced at its next tick, whatever the settings say.</summary>
    public void Want(int pid) => map.Set(pid, new ProcessEntry { State = ProcessState.Wanted });

    public void Remove(int pid) => map.Remove(pid);

    /// <summary>Writes a process's entry: its mappings first, so that the programs never see an entry without them.</summary>
    public void Tell(TrackedProcess tracked, ProcessState state)
    {
        var previous = tracked.Placed;
        Place(tracked);
        map.Set(tracked.Identity.Pid, new ProcessEntry
        {
            State = tracked.Decision.IsProfiled ? state : ProcessState.Ignored,
            Flags = tracked.Decision.Flags | (tracked.Decision.IsProfiled ? interpreters.Tell(tracked.Process, tracked.Decision.Python) : ProcessFlags.None),
            KeepOneIn = tracked.Decision.KeepOneIn,
            Shard = tracked.Placed?.Range.Shard ?? 0,
            FirstMapping = tracked.Placed?.FirstRow ?? 0,
            MappingCount = tracked.Placed?.Rows ?? 0,

            // Both the kernel's bpf_ktime_get_ns and this count from the same monotonic clock.
            LastUnknown = (ulong)(time.GetTimestamp() * (1e9 / time.TimestampFrequency)),
            UnknownPause = (uint)tracked.Reread.Pause.TotalMilliseconds,
        });
        if (previous is not null && !ReferenceEquals(previous, tracked.Placed))
        {
            tables.Release(previous);
        }
    }

    /// <summary>Takes back what was placed for a process. Its entry must be gone.</summary>
    public void Release(TrackedProcess tracked)
    {
        if (tracked.Placed is { } placed)
        {
            tables.Release(placed);
            (tracked.Placed, tracked.PlacedImage) = (null, null);
        }
    }

    private void Place(TrackedProcess tracked)
    {
        if (!tracked.Decision.IsProfiled)
        {
            (tracked.Placed, tracked.PlacedImage) = (null, null);
        }
        else if (tracked.Process.Image is { } image && (tracked.Placed is null || !ReferenceEquals(tracked.PlacedImage, image)))
        {
            (tracked.Placed, tracked.PlacedImage) = (tables.Place(image, tracked.Generated), image);
        }
    }
}
