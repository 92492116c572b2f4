namespace ActorProfiler.Collector.Unwinding;

/// <summary>The rules of one file's code, in the form the BPF program searches.</summary>
/// <remarks>
/// Code is cut into pages of 64 KiB of virtual address, from <see cref="FirstPage"/> on. The deltas of page k are
/// <c>Deltas[Pages[k] .. Pages[k + 1]]</c>, never none; each is the low 16 bits of an address, shifted left by 16, and the number of the rule that holds
/// from there on. They are sorted, and the first of a page is at its start.
/// </remarks>
/// <param name="Pages">One more than there are pages.</param>
internal sealed record UnwindTable(uint FirstPage, uint[] Pages, uint[] Deltas)
{
    public const int PageShift = 16;

    /// <summary>Functions described.</summary>
    public int FunctionCount { get; init; }

    /// <summary>Entries left out because they are malformed or lie outside the code.</summary>
    public int SkippedEntries { get; init; }

    /// <summary>Number of the rule at a virtual address of the file; 0 where there is none.</summary>
    public ushort Find(ulong address)
    {
        var page = (address >> PageShift) - FirstPage;
        if (page >= (ulong)Pages.Length - 1)
        {
            return 0;
        }

        var (low, high) = (Pages[page], Pages[page + 1]);
        while (high - low > 1)
        {
            var middle = (low + high) / 2;
            (low, high) = Deltas[middle] >> 16 <= (address & 0xffff) ? (middle, high) : (low, middle);
        }

        return (ushort)Deltas[low];
    }
}
