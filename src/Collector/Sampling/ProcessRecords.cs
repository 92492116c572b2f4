using ActorProfiler.Collector.Processes;
using ActorProfiler.Collector.Sampling.Native;

namespace ActorProfiler.Collector.Sampling;

/// <summary>The kernel's records of processes' lives, one buffer a CPU, brought into order for the journal.</summary>
/// <remarks>Not thread-safe.</remarks>
internal sealed class ProcessRecords(MappingJournal journal, TimeProvider time) : IDisposable
{
    private readonly Dictionary<int, PerfBuffer> _byCpu = [];
    private readonly List<ProcessRecord> _waiting = [];

    /// <summary>Told of each file that a process maps code of.</summary>
    public Action<int, MemoryMapping>? OnMapped { get; init; }

    /// <summary>Opens a buffer on CPUs that came online and lets go of those that went.</summary>
    /// <exception cref="BpfException">The kernel refused.</exception>
    public void Follow(IReadOnlyList<int> online)
    {
        foreach (var gone in _byCpu.Keys.Except(online).ToList())
        {
            _byCpu.Remove(gone, out var buffer);
            buffer?.Dispose();
        }

        foreach (var cpu in online.Except(_byCpu.Keys).ToList())
        {
            _byCpu.Add(cpu, new PerfBuffer(PerfEvent.OpenProcessRecords(cpu)));
        }
    }

    /// <summary>Brings the journal up to what had happened when this was called.</summary>
    /// <remarks>
    /// A process moves between CPUs while their buffers are read one after the other: what happened since the call is kept for the next,
    /// for something before it may lie in a buffer that was read already.
    /// </remarks>
    public void Read()
    {
        // CLOCK_MONOTONIC, as in the records.
        var now = (ulong)(time.GetTimestamp() * (1e9 / time.TimestampFrequency));
        foreach (var buffer in _byCpu.Values)
        {
            buffer.Read(Keep);
        }

        _waiting.Sort((a, b) => a.Time.CompareTo(b.Time));
        var taken = 0;
        while (taken < _waiting.Count && _waiting[taken].Time <= now)
        {
            var record = _waiting[taken++];
            journal.Add(record);
            if (record is { Change: ProcessChange.Mapped, Mapping.IsFile: true })
            {
                OnMapped?.Invoke(record.Pid, record.Mapping);
            }
        }

        _waiting.RemoveRange(0, taken);
        journal.Forget(now);
    }

    public void Dispose()
    {
        foreach (var buffer in _byCpu.Values)
        {
            buffer.Dispose();
        }

        _byCpu.Clear();
    }

    private void Keep(ReadOnlySpan<byte> bytes)
    {
        if (ProcessRecord.Parse(bytes) is { Change: not ProcessChange.None } record)
        {
            _waiting.Add(record);
        }
    }
}
