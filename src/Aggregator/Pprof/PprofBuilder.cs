using System.Text;
using ActorProfiler.Aggregator.Aggregation;
using Google.Protobuf;
using Wire = ActorProfiler.Pprof;

namespace ActorProfiler.Aggregator.Pprof;

/// <summary>One pprof profile of some samples of a merged profile: only what these samples refer to is in it.</summary>
/// <remarks>Format: https://github.com/google/pprof/blob/main/proto/profile.proto.</remarks>
internal sealed class PprofBuilder
{
    /// <summary>Longest string in bytes; a server cuts symbols there.</summary>
    private const int StringLimit = 65_535;

    // Upper bounds of one message with its tag and length, strings apart.
    private const int MappingCost = 64;
    private const int LocationCost = 40;
    private const int LineCost = 16;
    private const int FunctionCost = 32;
    private const int StringCost = 4;
    private const int SampleCost = 20;
    private const int FrameCost = 5;
    private const int HeadCost = 256;

    private readonly MergedProfile _merged;
    private readonly Wire.Profile _profile = new();
    private readonly Dictionary<string, long> _strings = new(StringComparer.Ordinal);
    private readonly Dictionary<int, Wire.Mapping> _mappings = [];
    private readonly Dictionary<int, ulong> _functions = [];
    private readonly Dictionary<int, ulong> _locations = [];

    public PprofBuilder(MergedProfile merged)
    {
        _merged = merged;
        Text("");
        _profile.SampleType.Add(new Wire.ValueType { Type = Text("cpu"), Unit = Text("nanoseconds") });
        _profile.PeriodType = _profile.SampleType[0].Clone();
        _profile.Period = merged.PeriodNanos;
        _profile.DurationNanos = merged.DurationNanos;
        Bytes = HeadCost;
    }

    public int SampleCount => _profile.Sample.Count;

    /// <summary>Σ ticks of the samples.</summary>
    public long Ticks { get; private set; }

    /// <summary>Upper bound of the encoded size.</summary>
    public int Bytes { get; private set; }

    /// <summary>Upper bound of what adding <paramref name="sample"/> adds to <see cref="Bytes"/>.</summary>
    public int CostOf(MergedSample sample)
    {
        var cost = SampleCost + (sample.Stack.Length * FrameCost);
        foreach (var index in sample.Stack)
        {
            if (!_locations.ContainsKey(index))
            {
                cost += CostOfLocation(_merged.Locations[index]);
            }
        }

        return cost;
    }

    public void Add(MergedSample sample)
    {
        var added = new Wire.Sample { Value = { sample.Nanos } };
        foreach (var location in sample.Stack)
        {
            added.LocationId.Add(LocationOf(location));
        }

        _profile.Sample.Add(added);
        Ticks += sample.Ticks;
        Bytes += SampleCost + (sample.Stack.Length * FrameCost);
    }

    /// <summary>The profile; the builder must not be used afterwards.</summary>
    public Wire.Profile Build(long timeNanos)
    {
        _profile.TimeNanos = timeNanos;
        return _profile;
    }

    private int CostOfLocation(MergedLocation location)
    {
        var cost = LocationCost + (location.Lines.Length * LineCost);
        if (location.Module >= 0 && !_mappings.ContainsKey(location.Module))
        {
            var module = _merged.Modules[location.Module];
            cost += MappingCost + CostOfText(module.File) + CostOfText(module.BuildId);
        }

        foreach (var line in location.Lines)
        {
            if (!_functions.ContainsKey(line.Function))
            {
                var function = _merged.Functions[line.Function];
                cost += FunctionCost + CostOfText(function.Name) + CostOfText(function.SystemName) + CostOfText(function.File);
            }
        }

        return cost;
    }

    private int CostOfText(int index) =>
        _strings.ContainsKey(_merged.Strings[index]) ? 0 : StringCost + Math.Min(StringLimit, Encoding.UTF8.GetByteCount(_merged.Strings[index]));

    private ulong LocationOf(int index)
    {
        if (_locations.TryGetValue(index, out var id))
        {
            return id;
        }

        var merged = _merged.Locations[index];
        Bytes += CostOfLocation(merged);
        id = (ulong)_locations.Count + 1;
        _locations.Add(index, id);
        var location = new Wire.Location { Id = id, Address = merged.Address };
        foreach (var line in merged.Lines)
        {
            location.Line.Add(new Wire.Line { FunctionId = FunctionOf(line.Function), Line_ = line.Line });
        }

        if (merged.Module >= 0)
        {
            var mapping = MappingOf(merged.Module);
            location.MappingId = mapping.Id;
            mapping.HasFunctions |= merged.Lines.Length > 0;
            mapping.HasInlineFrames |= merged.Lines.Length > 1;
            mapping.HasLineNumbers |= merged.Lines.Any(line => line.Line > 0);
            mapping.HasFilenames |= merged.Lines.Any(line => _merged.Functions[line.Function].File != 0);
        }

        _profile.Location.Add(location);
        return id;
    }

    private Wire.Mapping MappingOf(int index)
    {
        if (!_mappings.TryGetValue(index, out var mapping))
        {
            var module = _merged.Modules[index];
            mapping = new Wire.Mapping
            {
                Id = (ulong)_mappings.Count + 1,
                MemoryStart = module.Start,
                MemoryLimit = module.Limit,
                FileOffset = module.Offset,
                Filename = Text(_merged.Strings[module.File]),
                BuildId = Text(_merged.Strings[module.BuildId]),
            };
            _mappings.Add(index, mapping);
            _profile.Mapping.Add(mapping);
        }

        return mapping;
    }

    private ulong FunctionOf(int index)
    {
        if (_functions.TryGetValue(index, out var id))
        {
            return id;
        }

        var function = _merged.Functions[index];
        id = (ulong)_functions.Count + 1;
        _functions.Add(index, id);
        _profile.Function.Add(new Wire.Function
        {
            Id = id,
            Name = Text(_merged.Strings[function.Name]),
            SystemName = Text(_merged.Strings[function.SystemName]),
            Filename = Text(_merged.Strings[function.File]),
            StartLine = function.StartLine,
        });
        return id;
    }

    private long Text(string text)
    {
        if (!_strings.TryGetValue(text, out var index))
        {
            index = _profile.StringTable.Count;
            _strings.Add(text, index);
            _profile.StringTable.Add(Utf8Text.Clean(text, StringLimit));
        }

        return index;
    }
}
