using System.Collections.Immutable;
using ActorProfiler.Collector.Symbols.Demangling;
using ActorProfiler.Collector.Symbols.Dwarf;

namespace ActorProfiler.Collector.Symbols;

/// <summary>Adds source lines and inlined calls to the locations of one file. Not for several threads.</summary>
internal sealed class LineLocations(DwarfLines lines, DemangleMode demangle)
{
    private const int Limit = 1 << 17;

    private readonly Dictionary<ulong, Location?> _byAddress = [];
    private readonly Dictionary<(ulong Row, int Depth, string Name), Location> _byRow = [];
    private readonly Dictionary<(string Name, string File, int StartLine), Function> _functions = [];

    /// <summary>The location with lines; null when no line is known there.</summary>
    /// <param name="plain">The location without lines, whose function keeps its name.</param>
    public Location? Resolve(ulong address, Location plain)
    {
        if (_byAddress.TryGetValue(address, out var known))
        {
            return known;
        }

        if (_byAddress.Count >= Limit)
        {
            _byAddress.Clear();
            _byRow.Clear();
            _functions.Clear();
        }

        try
        {
            return _byAddress[address] = lines.Find(address) is { } found ? Create(found.RowStart, found.Frames, plain) : null;
        }
        catch (FormatException)
        {
            return _byAddress[address] = null; // a damaged unit has no lines; the name stays
        }
    }

    private Location Create(ulong row, List<SourceFrame> frames, Location plain)
    {
        if (_byRow.TryGetValue((row, frames.Count, frames[0].LinkageName), out var known))
        {
            return known;
        }

        var result = ImmutableArray.CreateBuilder<Line>(frames.Count);
        for (var i = 0; i < frames.Count; i++)
        {
            var frame = frames[i];
            var isFunction = i == frames.Count - 1;
            var name = isFunction && (plain.IsSymbolized || frame.LinkageName.Length == 0) ? plain.Lines[^1].Function.SystemName : frame.LinkageName;
            result.Add(new Line(FunctionOf(name, frame.File, frame.StartLine), frame.Line));
        }

        var location = new Location(plain.Module, row, result.MoveToImmutable(), plain.IsSymbolized || frames[^1].LinkageName.Length > 0);
        _byRow[(row, frames.Count, frames[0].LinkageName)] = location;
        return location;
    }

    private Function FunctionOf(string name, string file, int startLine)
    {
        if (!_functions.TryGetValue((name, file, startLine), out var function))
        {
            function = new Function(Demangler.Demangle(name, demangle), name, file, startLine);
            _functions.Add((name, file, startLine), function);
        }

        return function;
    }
}
