using System.Runtime.InteropServices;
using ActorProfiler.Collector.Sampling.Native;
using ActorProfiler.Collector.Unwinding;

namespace ActorProfiler.Collector.Sampling;

/// <summary>Map <c>executables</c>, which says where the table of each executable is, and the same search for rules as the BPF programs'.</summary>
internal sealed class ExecutableTables(BpfMap map, UnwindShards shards, UnwindRules rules)
{
    private const int PageBits = 16;

    private readonly Entry[] _entries = new Entry[map.MaxEntries];
    private readonly Stack<uint> _free = new();
    private readonly List<uint> _returned = [];
    private uint _next = 1;

    /// <summary><c>struct executable</c> in bpf/unwind.h.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal readonly record struct Entry(uint Shard, uint FirstPageWord, uint FirstPage, uint PageCount);

    /// <summary>A free index, or null when all are in use.</summary>
    public uint? Take() => _free.TryPop(out var free) ? free : _next < map.MaxEntries ? _next++ : null;

    public void Set(uint index, Entry entry)
    {
        _entries[index] = entry;
        map.Set(index, entry);
    }

    /// <summary>Gives an index back; it is free after <see cref="Reclaim"/>.</summary>
    public void Return(uint index)
    {
        Set(index, default);
        _returned.Add(index);
    }

    /// <summary>To be called when no BPF program that may have read a returned index runs any more.</summary>
    public void Reclaim()
    {
        _returned.ForEach(_free.Push);
        _returned.Clear();
    }

    /// <summary>What <c>find_rule</c> of bpf/sampler.bpf.c finds: the rule of an address, the default one where no table covers it.</summary>
    /// <param name="rows">Of the process, by address.</param>
    public UnwindRule FindRule(ReadOnlySpan<MappingRow> rows, ulong address)
    {
        var row = LastAtOrBelow(rows, address, static row => row.Start);
        if (row < 0 || address >= rows[row].End || rows[row].Executable == 0)
        {
            return default;
        }

        var entry = _entries[rows[row].Executable];
        var fileAddress = unchecked(address - rows[row].Bias);
        var page = unchecked((fileAddress >> PageBits) - entry.FirstPage);
        if (page >= entry.PageCount)
        {
            return default;
        }

        var words = shards[entry.Shard];
        var first = (int)(entry.FirstPageWord + (uint)page);
        var deltas = words[(int)words[first]..(int)words[first + 1]];
        var delta = LastAtOrBelow(deltas, fileAddress & 0xffff, static delta => delta >> PageBits);
        return delta < 0 ? default : rules[(int)(deltas[delta] & 0xffff)];
    }

    /// <summary>Index of the last item whose key is not above <paramref name="wanted"/>, or -1.</summary>
    private static int LastAtOrBelow<T>(ReadOnlySpan<T> sorted, ulong wanted, Func<T, ulong> key)
    {
        var (low, high) = (0, sorted.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = key(sorted[middle]) <= wanted ? (middle + 1, high) : (low, middle);
        }

        return low - 1;
    }
}
