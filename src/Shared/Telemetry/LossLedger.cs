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

    /// <summary>Ticks that entered this tier.</summary>
    public long Ticks => Interlocked.Read(ref _ticks);

    /// <summary>Ticks this tier handed over for good (to the next tier's disk, to a file, to a destination).</summary>
    public long Delivered => Interlocked.Read(ref _delivered);

    /// <summary>Ticks dropped, by reason.</summary>
    public IReadOnlyDictionary<string, long> Dropped => _dropped;

    public long DroppedInAll => _dropped.Values.Sum();

    /// <summary>Ticks that have entered and are neither delivered nor dropped.</summary>
    public long InFlight => Ticks - Delivered - DroppedInAll;

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
