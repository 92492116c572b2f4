using System.Runtime.InteropServices;
using ActorProfiler.Pprof;
using ValueType = ActorProfiler.Pprof.ValueType;

namespace ActorProfiler.Aggregator.LocalStore;

/// <summary>The tables of a merged profile: texts, mappings, functions and locations, each once.</summary>
internal sealed class MergedTables
{
    private readonly Dictionary<string, long> _texts = new(StringComparer.Ordinal) { [""] = 0 };
    private readonly Dictionary<Mapping, ulong> _mappings = [];
    private readonly Dictionary<Function, ulong> _functions = [];
    private readonly Dictionary<Location, ulong> _locations = [];

    public Profile Result { get; } = new() { StringTable = { "" } };

    public long Text(string text)
    {
        ref var index = ref CollectionsMarshal.GetValueRefOrAddDefault(_texts, text, out var known);
        if (!known)
        {
            index = Result.StringTable.Count;
            Result.StringTable.Add(text);
        }

        return index;
    }

    /// <summary>Takes over the period of the first profile.</summary>
    public void SetPeriod(Profile profile)
    {
        Result.Period = profile.Period;
        if (profile.PeriodType is { } type)
        {
            Result.PeriodType = new ValueType { Type = Text(profile.TextAt(type.Type)), Unit = Text(profile.TextAt(type.Unit)) };
        }
    }

    /// <summary>Adds what is new in a profile's tables. Returns where each of its locations is in the result.</summary>
    /// <exception cref="FormatException">The profile contradicts itself.</exception>
    public Dictionary<ulong, ulong> Import(Profile profile)
    {
        var mappings = new Dictionary<ulong, ulong> { [0] = 0 };
        foreach (var mapping in profile.Mapping)
        {
            mappings[mapping.Id] = Intern(_mappings, Import(profile, mapping), Result.Mapping, (entry, id) => entry.Id = id);
        }

        var functions = new Dictionary<ulong, ulong> { [0] = 0 };
        foreach (var function in profile.Function)
        {
            functions[function.Id] = Intern(_functions, Import(profile, function), Result.Function, (entry, id) => entry.Id = id);
        }

        var locations = new Dictionary<ulong, ulong>();
        foreach (var location in profile.Location)
        {
            var imported = new Location { MappingId = Find(mappings, location.MappingId, "mapping"), Address = location.Address, IsFolded = location.IsFolded };
            imported.Line.Add(location.Line.Select(line => new Line { FunctionId = Find(functions, line.FunctionId, "function"), Line_ = line.Line_, Column = line.Column }));
            locations[location.Id] = Intern(_locations, imported, Result.Location, (entry, id) => entry.Id = id);
        }

        return locations;
    }

    public Label Import(Profile profile, Label label) => new()
    {
        Key = Text(profile.TextAt(label.Key)),
        Str = Text(profile.TextAt(label.Str)),
        Num = label.Num,
        NumUnit = Text(profile.TextAt(label.NumUnit)),
    };

    /// <summary>A location that only has a name.</summary>
    public ulong Placeholder(string name)
    {
        var function = Intern(_functions, new Function { Name = Text(name), SystemName = Text(name) }, Result.Function, (entry, id) => entry.Id = id);
        return Intern(_locations, new Location { Line = { new Line { FunctionId = function } } }, Result.Location, (entry, id) => entry.Id = id);
    }

    private Mapping Import(Profile profile, Mapping mapping)
    {
        var imported = mapping.Clone();
        imported.Id = 0;
        imported.Filename = Text(profile.TextAt(mapping.Filename));
        imported.BuildId = Text(profile.TextAt(mapping.BuildId));
        return imported;
    }

    private Function Import(Profile profile, Function function) => new()
    {
        Name = Text(profile.TextAt(function.Name)),
        SystemName = Text(profile.TextAt(function.SystemName)),
        Filename = Text(profile.TextAt(function.Filename)),
        StartLine = function.StartLine,
    };

    /// <summary>Finds an entry by content, its id still 0; a new one gets the next id, on a copy, so that the key stays as it was.</summary>
    private static ulong Intern<T>(Dictionary<T, ulong> known, T entry, ICollection<T> table, Action<T, ulong> setId)
        where T : Google.Protobuf.IDeepCloneable<T>
    {
        ref var id = ref CollectionsMarshal.GetValueRefOrAddDefault(known, entry, out var exists);
        if (!exists)
        {
            id = (ulong)table.Count + 1;
            var numbered = entry.Clone();
            setId(numbered, id);
            table.Add(numbered);
        }

        return id;
    }

    private static ulong Find(Dictionary<ulong, ulong> ids, ulong id, string what) =>
        ids.TryGetValue(id, out var found) ? found : throw new FormatException($"a location names {what} {id}, which the profile does not have");
}
