using ActorProfiler.Collector.Sampling.Native;

namespace ActorProfiler.Collector.Sampling;

/// <summary>One sampling clock per online CPU. Follows CPUs that come and go.</summary>
/// <remarks>Not thread-safe.</remarks>
internal sealed class SamplingClocks(BpfObject programs, string program) : IDisposable
{
    private readonly Dictionary<int, BpfLinkHandle> _byCpu = [];

    public int Count => _byCpu.Count;

    /// <summary>Period of the running clocks; 0 when none runs.</summary>
    public long PeriodNanos { get; private set; }

    /// <summary>Stops all clocks and starts them anew with another period.</summary>
    /// <exception cref="BpfException">The kernel refused; no clock runs then.</exception>
    public void Start(long periodNanos)
    {
        Stop();
        PeriodNanos = periodNanos;
        Follow(OnlineCpus.Read());
    }

    /// <summary>Starts clocks on CPUs that came online and lets go of those that went.</summary>
    public void Follow(IReadOnlyList<int> online)
    {
        foreach (var gone in _byCpu.Keys.Except(online).ToList())
        {
            _byCpu.Remove(gone, out var link);
            link?.Dispose();
        }

        foreach (var cpu in online.Except(_byCpu.Keys).ToList())
        {
            var clock = PerfEvent.OpenCpuClock(cpu, PeriodNanos);
            try
            {
                _byCpu.Add(cpu, programs.AttachPerfEvent(program, clock));
            }
            catch (BpfException)
            {
                _ = LibC.close(clock);
                throw;
            }
        }
    }

    /// <summary>Stops all clocks: no program runs after this.</summary>
    public void Stop()
    {
        foreach (var link in _byCpu.Values)
        {
            link.Dispose();
        }

        _byCpu.Clear();
        PeriodNanos = 0;
    }

    public void Dispose() => Stop();
}
