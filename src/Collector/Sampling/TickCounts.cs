using ActorProfiler.Collector.Sampling.Native;

namespace ActorProfiler.Collector.Sampling;

/// <summary>Ticks by stack hash, in two maps of the BPF programs: they count in one while the other is emptied.</summary>
/// <remarks>Not thread-safe.</remarks>
internal sealed class TickCounts
{
    private readonly BpfMap _active;
    private readonly BpfMap[] _maps;
    private readonly ulong[] _hashes;
    private readonly ulong[] _ticks;
    private int _current;
    private int _taken;

    public TickCounts(BpfObject programs)
    {
        _active = programs.Map("active_counts");
        _maps = [programs.Map("counts_a"), programs.Map("counts_b")];
        _hashes = new ulong[_maps[0].MaxEntries];
        _ticks = new ulong[_maps[0].MaxEntries];
    }

    /// <summary>Of the last <see cref="Take"/>.</summary>
    public ReadOnlySpan<ulong> Hashes => _hashes.AsSpan(0, _taken);

    /// <summary>How often each of <see cref="Hashes"/> was counted.</summary>
    public ReadOnlySpan<ulong> Ticks => _ticks.AsSpan(0, _taken);

    /// <summary>Has the programs count in the other map. Returns when none counts in the old one any more.</summary>
    public void Switch()
    {
        _current = 1 - _current;
        _active.Set(0u, (uint)_maps[_current].File);
    }

    /// <summary>Empties the map that was switched off last.</summary>
    public void Take() => _taken = _maps[1 - _current].TakeAll<ulong, ulong>(_hashes, _ticks);
}
