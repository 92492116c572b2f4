using ActorProfiler.Collector.Elf;

namespace ActorProfiler.Collector.Symbols.Dwarf;

/// <param name="LinkageName">As in a symbol table, or the plain name.</param>
/// <param name="File">Path, or "".</param>
/// <param name="Line">0 when unknown.</param>
/// <param name="StartLine">Line of the function's declaration; 0 when unknown.</param>
internal readonly record struct SourceFrame(string LinkageName, string File, int Line, int StartLine);

/// <summary>Source lines and inlined calls by address, from the debug sections of one file. Not for several threads.</summary>
/// <remarks>Units are read when first needed; a bounded number of them stays in memory.</remarks>
internal sealed class DwarfLines
{
    private const int UnitsKept = 64;
    private const int UnitLimit = 200_000;
    private const int OriginHops = 8;
    private const int NestingLimit = 64;

    private readonly DwarfReader _reader;
    private readonly List<(ulong Start, ulong End, DwarfUnit Unit)> _ranges = [];
    private readonly List<DwarfUnit> _units = [];
    private readonly RoundCache<int, UnitLines> _cache = new(UnitsKept, 0, _ => { });

    private sealed record UnitLines(LineTable Lines, List<(ulong Start, ulong End, int Entry)> Functions);

    private DwarfLines(DwarfReader reader)
    {
        _reader = reader;
        var ranges = new List<(ulong, ulong)>();
        for (var at = 0; at < reader.Sections.Information.Length;)
        {
            (var unit, at) = reader.ReadUnit(at);
            if (unit is null)
            {
                continue;
            }

            _units.Add(unit);
            ranges.Clear();
            var position = unit.FirstEntry;
            if (_units.Count <= UnitLimit && reader.TryReadEntry(unit, ref position, out var root))
            {
                DwarfRanges.Add(reader, unit, root, ranges);
                _ranges.AddRange(ranges.Select(range => (range.Item1, range.Item2, unit)));
            }
        }

        _ranges.Sort(static (one, other) => one.Start.CompareTo(other.Start));
    }

    /// <summary>Null when the file has no lines.</summary>
    /// <exception cref="FormatException">The sections are malformed.</exception>
    public static DwarfLines? Read(ElfFile file) => DwarfSections.Read(file) is { } sections ? new DwarfLines(new DwarfReader(sections)) : null;

    /// <summary>The frames at an address, the innermost inlined one first, the function itself last; and the first address of the line.</summary>
    /// <returns>Null when no line is known.</returns>
    /// <exception cref="FormatException">The unit's entries are malformed.</exception>
    public (ulong RowStart, List<SourceFrame> Frames)? Find(ulong address)
    {
        if (UnitOf(address) is not { LineProgram: { } program } unit)
        {
            return null;
        }

        if (!_cache.TryGet(unit.Start, out var lines))
        {
            lines = new UnitLines(LineProgram.Run(_reader, unit, program), ReadFunctions(unit));
            _cache.Set(unit.Start, lines);
            _cache.EndRound();
        }

        if (lines.Lines.Find(address) is not { } row)
        {
            return null;
        }

        var calls = CallsAt(unit, lines, address);
        var frames = new List<SourceFrame>();
        var (file, line) = (lines.Lines.FileAt((ulong)row.File), row.Line);
        for (var i = calls.Count - 1; i >= 0; i--)
        {
            var (name, startLine) = NameOf(unit, calls[i]);
            frames.Add(new SourceFrame(name, file, line, startLine));
            (file, line) = (lines.Lines.FileAt(calls[i].CallFile), (int)Math.Min(calls[i].CallLine, int.MaxValue));
        }

        if (frames.Count == 0)
        {
            frames.Add(new SourceFrame("", file, line, 0));
        }

        return (row.Address, frames);
    }

    private DwarfUnit? UnitOf(ulong address)
    {
        var (low, high) = (0, _ranges.Count - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            (low, high) = _ranges[middle].Start <= address ? (middle + 1, high) : (low, middle - 1);
        }

        for (var i = high; i >= 0 && high - i < NestingLimit; i--)
        {
            if (address < _ranges[i].End)
            {
                return _ranges[i].Unit;
            }
        }

        return null;
    }

    private List<(ulong Start, ulong End, int Entry)> ReadFunctions(DwarfUnit unit)
    {
        var functions = new List<(ulong, ulong, int)>();
        var ranges = new List<(ulong Start, ulong End)>();
        for (var position = unit.FirstEntry; position < unit.End;)
        {
            var at = position;
            if (!_reader.TryReadEntry(unit, ref position, out var entry) || entry.Tag != DwarfReader.Subprogram)
            {
                continue;
            }

            ranges.Clear();
            DwarfRanges.Add(_reader, unit, entry, ranges);
            foreach (var (start, end) in ranges)
            {
                functions.Add((start, end, at));
            }
        }

        functions.Sort();
        return functions;
    }

    /// <summary>The function that holds an address and, after it, the inlined calls that do, outermost first.</summary>
    private List<DwarfEntry> CallsAt(DwarfUnit unit, UnitLines lines, ulong address)
    {
        var calls = new List<DwarfEntry>();
        var index = lines.Functions.FindLastIndex(function => function.Start <= address && address < function.End);
        if (index < 0)
        {
            return calls;
        }

        var position = lines.Functions[index].Entry;
        _reader.TryReadEntry(unit, ref position, out var function);
        calls.Add(function);
        var ranges = new List<(ulong Start, ulong End)>();
        for (var depth = function.HasChildren ? 1 : 0; depth > 0 && position < unit.End && calls.Count < NestingLimit;)
        {
            if (!_reader.TryReadEntry(unit, ref position, out var entry))
            {
                depth--;
                continue;
            }

            ranges.Clear();
            var hasCode = entry.Low is not null || entry.Ranges is not null;
            if (hasCode)
            {
                DwarfRanges.Add(_reader, unit, entry, ranges);
            }

            var holds = ranges.Exists(range => address >= range.Start && address < range.End);
            if (holds && entry.Tag == DwarfReader.InlinedCall)
            {
                calls.Add(entry);
            }

            if (hasCode && !holds && entry.HasChildren && entry.Sibling > position && entry.Sibling <= unit.End)
            {
                position = entry.Sibling;
                continue;
            }

            depth += entry.HasChildren ? 1 : 0;
        }

        return calls;
    }

    private (string Name, int StartLine) NameOf(DwarfUnit unit, DwarfEntry entry)
    {
        var startLine = 0;
        for (var hops = 0; hops < OriginHops; hops++)
        {
            startLine = startLine > 0 ? startLine : (int)Math.Min(entry.DeclarationLine, int.MaxValue);
            if (entry.LinkageName is { } linkage)
            {
                return (_reader.Text(unit, linkage), startLine);
            }

            if (entry.Origin is not { } origin)
            {
                break;
            }

            var (home, position) = (HomeOf(unit, origin), origin);
            if (home is null || !_reader.TryReadEntry(home, ref position, out var original))
            {
                break;
            }

            unit = home;
            entry = original;
        }

        return (entry.Name is { } name ? _reader.Text(unit, name) : "", startLine);
    }

    private DwarfUnit? HomeOf(DwarfUnit unit, int offset)
    {
        if (offset >= unit.FirstEntry && offset < unit.End)
        {
            return unit;
        }

        var (low, high) = (0, _units.Count - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            (low, high) = _units[middle].Start <= offset ? (middle + 1, high) : (low, middle - 1);
        }

        return high >= 0 && offset >= _units[high].FirstEntry && offset < _units[high].End ? _units[high] : null;
    }
}
