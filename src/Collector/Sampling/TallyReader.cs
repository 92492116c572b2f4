using ActorProfiler.Collector.Sampling.Native;

namespace ActorProfiler.Collector.Sampling;

/// <summary>Sums the BPF programs' per-CPU counters and gives what was added since the last reading.</summary>
internal sealed class TallyReader(BpfMap tallies, int possibleCpus)
{
    private readonly Tally[] _perCpu = new Tally[possibleCpus];
    private Tally _before;

    public Tally ReadIncrease()
    {
        tallies.ReadPerCpu<Tally>(0, _perCpu);
        var sum = default(Tally);
        foreach (ref readonly var cpu in _perCpu.AsSpan())
        {
            sum = Combine(sum, cpu, (a, b) => a + b);
        }

        var increase = Combine(sum, _before, (a, b) => a - b);
        _before = sum;
        return increase;
    }

    private static Tally Combine(in Tally a, in Tally b, Func<ulong, ulong, ulong> combine)
    {
        var result = new Tally { Ticks = combine(a.Ticks, b.Ticks), EventsLost = combine(a.EventsLost, b.EventsLost) };
        for (var i = 0; i < DropReasons.KernelCount; i++)
        {
            result.Drops[i] = combine(a.Drops[i], b.Drops[i]);
        }

        return result;
    }
}
