using ActorProfiler.Aggregator.LocalStore;
using ActorProfiler.Aggregator.Pprof;
using ActorProfiler.Labels;
using ActorProfiler.Pprof;
using ValueType = ActorProfiler.Pprof.ValueType;

namespace ActorProfiler.Tests.LocalStore;

/// <summary>Builds profiles from lines <c>module!outer;module!inner ticks</c>; a tick is 10 ms. Source file after <c>@</c>.</summary>
internal sealed class FoldedProfile
{
    public const long Period = 10_000_000;

    private readonly Profile _profile = new() { StringTable = { "" }, Period = Period };
    private readonly Dictionary<string, ulong> _mappings = [];
    private readonly Dictionary<string, ulong> _locations = [];
    private readonly Dictionary<string, long> _texts = new() { [""] = 0 };
    private long _ticks;

    private FoldedProfile(IEnumerable<string> lines)
    {
        _profile.PeriodType = new ValueType { Type = Text("cpu"), Unit = Text("nanoseconds") };
        _profile.SampleType.Add(new ValueType { Type = Text("samples"), Unit = Text("count") });
        _profile.SampleType.Add(new ValueType { Type = Text("cpu"), Unit = Text("nanoseconds") });
        foreach (var line in lines)
        {
            Add(line);
        }
    }

    public static Profile Of(params IEnumerable<string> lines) => new FoldedProfile(lines)._profile;

    public static EncodedProfile Encoded(string service, DateTimeOffset start, params IEnumerable<string> lines)
    {
        var folded = new FoldedProfile(lines);
        folded._profile.TimeNanos = TimeRange.UnixNanos(start);
        folded._profile.DurationNanos = 15_000_000_000;
        var labels = LabelSet.Of((LabelNames.Name, LabelNames.ProcessCpu), (LabelNames.ServiceName, service), ("host", "one"));
        return new EncodedProfile(labels, folded._profile.TimeNanos, folded._profile.DurationNanos, folded._ticks, PprofPayload.Close(folded._profile));
    }

    private void Add(string line)
    {
        var blank = line.LastIndexOf(' ');
        var ticks = long.Parse(line.AsSpan(blank + 1));
        var sample = new Sample { Value = { ticks, ticks * Period } };
        sample.LocationId.Add(line[..blank].Split(';').Reverse().Select(Location));
        _profile.Sample.Add(sample);
        _ticks += ticks;
    }

    private ulong Location(string frame)
    {
        if (_locations.TryGetValue(frame, out var known))
        {
            return known;
        }

        var (module, function) = frame.Split('!', 2) is [var before, var after] ? (before, after) : ("", frame);
        var (name, file) = function.Split('@', 2) is [var left, var right] ? (left, right) : (function, "");
        var id = (ulong)_locations.Count + 1;
        _profile.Function.Add(new Function { Id = id, Name = Text(name), SystemName = Text(name), Filename = Text(file) });
        _profile.Location.Add(new Location { Id = id, MappingId = Mapping(module), Line = { new Line { FunctionId = id } } });
        return _locations[frame] = id;
    }

    private ulong Mapping(string module)
    {
        if (module.Length == 0 || _mappings.TryGetValue(module, out _))
        {
            return _mappings.GetValueOrDefault(module);
        }

        var id = (ulong)_mappings.Count + 1;
        _profile.Mapping.Add(new Mapping { Id = id, MemoryStart = 0x1000, MemoryLimit = 0x2000, Filename = Text(module) });
        return _mappings[module] = id;
    }

    private long Text(string text)
    {
        if (!_texts.TryGetValue(text, out var index))
        {
            index = _texts[text] = _profile.StringTable.Count;
            _profile.StringTable.Add(text);
        }

        return index;
    }
}
