namespace ActorProfiler.Collector.Symbols;

/// <summary>Ranges of JIT-compiled code without overlap: where entries overlap, the later one wins.</summary>
/// <remarks>A JIT reuses the memory of code it has thrown away, and appends a line for the new code.</remarks>
/// <param name="Starts">Sorted.</param>
/// <param name="Ends">Exclusive.</param>
/// <param name="Entries">Index of the entry that owns the range.</param>
internal sealed record PerfMapRanges(ulong[] Starts, ulong[] Ends, int[] Entries)
{
    public static readonly PerfMapRanges Empty = new([], [], []);

    /// <param name="entries">In the order of the file.</param>
    public static PerfMapRanges Build(IReadOnlyList<PerfMapEntry> entries)
    {
        var order = new int[entries.Count];
        var edges = new ulong[entries.Count];
        for (var i = 0; i < order.Length; i++)
        {
            (order[i], edges[i]) = (i, entries[i].Start);
        }

        Array.Sort(edges, order);
        var result = new Builder();
        var active = new PriorityQueue<int, int>(); // the latest entry first
        for (var next = 0; next < order.Length || active.Count > 0;)
        {
            if (active.Count == 0)
            {
                active.Enqueue(order[next], -order[next]);
                result.Position = entries[order[next++]].Start;
                continue;
            }

            var top = active.Peek();
            var end = entries[top].End;
            if (end <= result.Position)
            {
                active.Dequeue();
            }
            else if (next < order.Length && entries[order[next]].Start < end)
            {
                var entry = order[next++];
                if (entry > top)
                {
                    result.AddUntil(entries[entry].Start, top);
                }

                active.Enqueue(entry, -entry);
            }
            else
            {
                result.AddUntil(end, top);
                active.Dequeue();
            }
        }

        return result.ToRanges();
    }

    /// <summary>The entry whose code holds an address, or -1.</summary>
    public int Find(ulong address)
    {
        var index = Array.BinarySearch(Starts, address);
        index = index < 0 ? ~index - 1 : index;
        return index >= 0 && address < Ends[index] ? Entries[index] : -1;
    }

    private sealed class Builder
    {
        private readonly List<ulong> _starts = [];
        private readonly List<ulong> _ends = [];
        private readonly List<int> _entries = [];

        public ulong Position { get; set; }

        public void AddUntil(ulong end, int entry)
        {
            if (end > Position)
            {
                _starts.Add(Position);
                _ends.Add(end);
                _entries.Add(entry);
                Position = end;
            }
        }

        public PerfMapRanges ToRanges() => new([.. _starts], [.. _ends], [.. _entries]);
    }
}
