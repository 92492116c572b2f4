using System.Collections.Immutable;
using ActorProfiler.Collector.Processes;
using ActorProfiler.Collector.Unwinding;

namespace ActorProfiler.Collector.Sampling;

/// <summary>What the sampling thread knows of a process beside what it shows to others.</summary>
internal sealed class TrackedProcess(KnownProcess process)
{
    public KnownProcess Process => process;

    public ProcessIdentity Identity => process.Identity;

    public ProcessDecision Decision { get; set; }

    public UnwindTableStore.PlacedMappings? Placed { get; set; }

    /// <summary>What <see cref="Placed"/> was made of.</summary>
    public ProcessImage? PlacedImage { get; set; }

    /// <summary>The table of code it has made itself.</summary>
    public UnwindTable? Generated { get; set; }

    /// <summary>A moment at which it ran: ns, CLOCK_MONOTONIC; 0 when none is known.</summary>
    public ulong SeenAt { get; set; }

    /// <summary>What the journal said when the image was made of it.</summary>
    public ImmutableArray<MemoryMapping> Journaled { get; set; }

    public RereadPause Reread { get; } = new();

    /// <summary>When it was last read because a file took the place of another; a timestamp of the clock, 0 for never.</summary>
    public long ReplacedReadAt { get; set; }
}
