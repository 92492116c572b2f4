using System.Collections.Concurrent;

namespace ActorProfiler.Telemetry;

/// <summary>
/// Where every tick went: <c>ticks = delivered + Σ dropped{reason} + in flight</c>. One ledger per tier of a process.
/// </summary>
/// <remarks>Thread-safe. Each stage adds what it took in, passed on or dropped; nobody subtracts.</remarks>
public sealed class LossLedger
{
    private readonly ConcurrentDictionary<string, long> _dropped = new(StringComparer.Ordinal);
    private long _ticks;
    private long _delivered;
    private long _restored;
    private long _held;
    private long _ahead;

    /// <summary>Ticks that entered this tier.</summary>
    public long Ticks => Interlocked.Read(ref _ticks);

    /// <summary>Ticks this tier handed over for good (to the next tier's disk, to a file, to a destination).</summary>
    public long Delivered => Interlocked.Read(ref _delivered);

    /// <summary>Ticks dropped, by reason.</summary>
    public IReadOnlyDictionary<string, long> Dropped => _dropped;

    public long DroppedInAll => _dropped.Values.Sum();

    /// <summary>Ticks that have entered and are neither delivered nor dropped.</summary>
    public long InFlight => Ticks - Delivered - DroppedInAll;

    /// <summary>Of <see cref="Ticks"/>: those that waited on disk when the process started.</summary>
    public long Restored => Interlocked.Read(ref _restored);

    /// <summary>Ticks counted where they wait. Differs from <see cref="InFlight"/> for the moment in which some are between two parts of the tier; otherwise ticks are lost.</summary>
    public long Held => Interlocked.Read(ref _held);

    /// <summary>Ticks that the source has counted and will hand over with its next interval. Near 0; one that grows means that ticks are lost.</summary>
    public long Ahead => Interlocked.Read(ref _ahead);

    /// <summary>The source's count and what it handed over differ by this much more.</summary>
    public void RunAhead(long ticks) => Interlocked.Add(ref _ahead, ticks);

    public void Restore(long ticks)
    {
        Interlocked.Add(ref _restored, ticks);
        Enter(ticks);
    }

    /// <summary>The holder of waiting ticks says how many it has.</summary>
    public void Hold(long ticks) => Interlocked.Exchange(ref _held, ticks);

    public void Enter(long ticks) => Interlocked.Add(ref _ticks, ticks);

    public void Deliver(long ticks) => Interlocked.Add(ref _delivered, ticks);

    /// <param name="reason">Snake case, one of a small fixed set: it becomes a metric label.</param>
    public void Drop(string reason, long ticks)
    {
        if (ticks != 0)
        {
            _dropped.AddOrUpdate(reason, ticks, (_, before) => before + ticks);
        }
    }
}
