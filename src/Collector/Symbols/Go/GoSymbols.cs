using System.Collections.Immutable;
using ActorProfiler.Collector.Elf;
using ActorProfiler.Collector.Elf.Go;

namespace ActorProfiler.Collector.Symbols.Go;

/// <summary>Names, files, lines and inlined calls of a Go program's own code. Not for several threads.</summary>
internal sealed class GoSymbols(GoTable table, Module module)
{
    private const int InlineDepth = 64;
    private const int LocationLimit = 1 << 17;

    private readonly Dictionary<ulong, Location> _byAddress = [];
    private readonly Dictionary<ulong, Location> _byRow = []; // by the first address of a line
    private readonly Dictionary<(uint Name, string File, int StartLine), Function> _functions = [];

    public int Count => table.Count;

    /// <summary>The location of an address, or null when no Go function holds it or its record is malformed.</summary>
    public Location? Resolve(ulong address)
    {
        if (_byAddress.TryGetValue(address, out var known))
        {
            return known;
        }

        var index = table.Find(address);
        if (index < 0)
        {
            return null;
        }

        if (_byAddress.Count >= LocationLimit)
        {
            _byAddress.Clear();
            _byRow.Clear();
        }

        try
        {
            return _byAddress[address] = ResolveIn(table.ReadFunction(index), address);
        }
        catch (FormatException)
        {
            return null; // other tables may still have the name
        }
    }

    private Location ResolveIn(GoFunction function, ulong address)
    {
        var (line, lineFrom) = table.LineAt(function, address);
        var (inlined, inlinedFrom) = table.InlineAt(function, address);
        var row = Math.Max(lineFrom, inlinedFrom);
        if (_byRow.TryGetValue(row, out var known))
        {
            return known;
        }

        var lines = ImmutableArray.CreateBuilder<Line>();
        var file = table.FileAt(function, address);
        for (var depth = 0; inlined >= 0 && depth < InlineDepth; depth++)
        {
            var (name, startLine, call) = table.ReadInlined(function, inlined);
            lines.Add(new Line(FunctionOf(name, file, startLine), Math.Max(line, 0)));
            line = table.LineAt(function, call).Value;
            inlined = table.InlineAt(function, call).Value;
            file = table.FileAt(function, call);
        }

        lines.Add(new Line(FunctionOf(function.Name, file, function.StartLine), Math.Max(line, 0)));
        return _byRow[row] = new Location(module, row, lines.ToImmutable(), IsSymbolized: true);
    }

    private Function FunctionOf(uint name, string file, int startLine)
    {
        if (!_functions.TryGetValue((name, file, startLine), out var function))
        {
            var text = table.Name(name);
            function = new Function(text, text, file, startLine);
            _functions.Add((name, file, startLine), function);
        }

        return function;
    }
}
