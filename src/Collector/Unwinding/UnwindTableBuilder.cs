namespace ActorProfiler.Collector.Unwinding;

/// <summary>Collects functions with their rows and lays them out as an <see cref="UnwindTable"/>.</summary>
internal sealed class UnwindTableBuilder(int rowLimit)
{
    private const int LargestPadding = 16;
    private const ulong LargestSpan = 1ul << 32;
    private const int RuleBits = 16;
    private const int AddressBits = 48;

    private static readonly Comparison<(ulong Start, ulong End, int FirstRow, int LastRow)> _byStart = static (one, other) => one.Start.CompareTo(other.Start);

    private readonly List<(ulong Start, ulong End, int FirstRow, int LastRow)> _functions = [];
    private readonly List<ulong> _rows = []; // address << 16 | rule
    private int _firstRow;

    public int FunctionCount => _functions.Count;

    /// <summary>The code of the functions so far, in no order; they may overlap.</summary>
    public IEnumerable<(ulong Start, ulong End)> Functions => _functions.Select(static function => (function.Start, function.End));

    /// <summary>Adds a row to the function that is being read; one at the same address as the last replaces it.</summary>
    /// <exception cref="FormatException">The address lies before the last one's.</exception>
    /// <exception cref="FrameBudgetException">There are too many rows.</exception>
    public void AddRow(ulong address, ushort rule)
    {
        if (address >> AddressBits != 0 || (_rows.Count > _firstRow && address < _rows[^1] >> RuleBits))
        {
            throw new FormatException($"row at {address:x} after one at a higher address");
        }

        if (_rows.Count > _firstRow && address == _rows[^1] >> RuleBits)
        {
            _rows.RemoveAt(_rows.Count - 1);
        }

        if (_rows.Count >= rowLimit)
        {
            throw new FrameBudgetException($"more than {rowLimit} rows");
        }

        _rows.Add(address << RuleBits | rule);
    }

    /// <summary>Where the rows of the next function begin; give it to <see cref="EndFunction"/> or <see cref="DropRows"/>.</summary>
    public int BeginFunction() => _firstRow = _rows.Count;

    public void EndFunction(ulong start, ulong end, int firstRow) => _functions.Add((start, end, firstRow, _rows.Count));

    /// <summary>Bytes of a range of code that no function describes, padding between functions left out.</summary>
    public ulong UndescribedBytes(ulong start, ulong end)
    {
        _functions.Sort(_byStart);
        var (undescribed, at) = (0ul, start);
        foreach (var function in _functions)
        {
            if (function.End <= at || function.Start >= end)
            {
                continue;
            }

            undescribed += function.Start > at + LargestPadding ? function.Start - at : 0;
            at = function.End;
        }

        return undescribed + (end > at + LargestPadding ? end - at : 0);
    }

    public void DropRows(int firstRow) => _rows.RemoveRange(firstRow, _rows.Count - firstRow);

    /// <summary>The table, or null when there is no function.</summary>
    /// <exception cref="FormatException">The code spans more than 4 GiB.</exception>
    public UnwindTable? Build(int skippedEntries)
    {
        if (_functions.Count == 0)
        {
            return null;
        }

        _functions.Sort(_byStart);
        var changes = Flatten();
        var (firstPage, lastPage) = (changes[0] >> RuleBits + UnwindTable.PageShift, changes[^1] >> RuleBits + UnwindTable.PageShift);
        if (lastPage - firstPage > LargestSpan >> UnwindTable.PageShift)
        {
            throw new FormatException($"code spans {lastPage - firstPage} pages of 64 KiB");
        }

        return Page(changes, firstPage, lastPage) with { FunctionCount = _functions.Count, SkippedEntries = skippedEntries };
    }

    /// <summary>All rows in order of address, each only where the rule changes; gaps larger than padding get rule 0.</summary>
    private List<ulong> Flatten()
    {
        var changes = new List<ulong>(_rows.Count);
        ulong covered = 0;
        var current = -1;
        foreach (var (start, end, firstRow, lastRow) in _functions)
        {
            if (start < covered)
            {
                continue; // a second description of the same code
            }

            if (covered != 0 && start - covered > LargestPadding && current != 0)
            {
                changes.Add(covered << RuleBits);
                current = 0;
            }

            for (var row = firstRow; row < lastRow && _rows[row] >> RuleBits < end; row++)
            {
                if ((int)(_rows[row] & 0xffff) != current)
                {
                    changes.Add(_rows[row]);
                    current = (int)(_rows[row] & 0xffff);
                }
            }

            covered = end;
        }

        changes.Add(covered << RuleBits);
        return changes;
    }

    private static UnwindTable Page(List<ulong> changes, ulong firstPage, ulong lastPage)
    {
        var pages = new uint[lastPage - firstPage + 2];
        var deltas = new List<uint>(changes.Count + pages.Length);
        var next = 0;
        ushort carried = 0;
        for (var page = firstPage; page <= lastPage; page++)
        {
            pages[page - firstPage] = (uint)deltas.Count;
            if (changes[next] >> RuleBits != page << UnwindTable.PageShift)
            {
                deltas.Add(carried);
            }

            for (; next < changes.Count && changes[next] >> RuleBits + UnwindTable.PageShift == page; next++)
            {
                carried = (ushort)changes[next];
                deltas.Add((uint)changes[next]);
            }
        }

        pages[^1] = (uint)deltas.Count;
        return new UnwindTable((uint)firstPage, pages, [.. deltas]);
    }
}
