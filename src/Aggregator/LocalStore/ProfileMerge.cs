using System.Runtime.InteropServices;
using ActorProfiler.Pprof;
using ValueType = ActorProfiler.Pprof.ValueType;

namespace ActorProfiler.Aggregator.LocalStore;

/// <summary>Merges profiles into one: equal mappings, functions and locations become one, equal stacks are added up.</summary>
/// <remarks>
/// Holds at most twice the sample limit; past it the smallest stacks become one stack "(other)", and a comment in the profile
/// says how many and how much. The time range is that of the windows together, not the sum of their lengths.
/// </remarks>
internal sealed class ProfileMerge
{
    public const int DefaultSampleLimit = 200_000;

    private readonly int _sampleLimit;
    private readonly MergedTables _tables = new();
    private Dictionary<StackKey, long[]> _samples = [];
    private (string Type, string Unit)[] _types = [];
    private long[] _other = [];
    private long _cut;
    private long _start = long.MaxValue;
    private long _end = long.MinValue;

    public ProfileMerge(int sampleLimit = DefaultSampleLimit) => _sampleLimit = sampleLimit;

    /// <summary>Profiles merged.</summary>
    public int Profiles { get; private set; }

    /// <summary>Profiles left out because they could not be read; said in the result's comment.</summary>
    public int Unreadable { get; set; }

    /// <exception cref="FormatException">The profile contradicts itself, or its value types differ; its samples were not added.</exception>
    public void Add(Profile profile)
    {
        var types = profile.SampleType.Select(type => (profile.TextAt(type.Type), profile.TextAt(type.Unit))).ToArray();
        if (Profiles > 0 && !types.SequenceEqual(_types))
        {
            throw new FormatException($"the profile's values are {string.Join(", ", types)}, the others' {string.Join(", ", _types)}");
        }

        var locations = _tables.Import(profile);
        var samples = profile.Sample.Select(sample => (Key: Key(profile, sample, locations), sample.Value)).ToArray();
        if (Array.Exists(samples, sample => sample.Value.Count != types.Length))
        {
            throw new FormatException($"a sample has not the {types.Length} values of its profile");
        }

        if (Profiles++ == 0)
        {
            (_types, _other) = (types, new long[types.Length]);
            _tables.SetPeriod(profile);
        }

        _start = Math.Min(_start, profile.TimeNanos);
        _end = Math.Max(_end, profile.TimeNanos + profile.DurationNanos);
        foreach (var (key, value) in samples)
        {
            Sum(CollectionsMarshal.GetValueRefOrAddDefault(_samples, key, out _) ??= new long[types.Length], value);
        }

        if (_samples.Count > 2 * _sampleLimit)
        {
            Prune();
        }
    }

    public Profile Build()
    {
        Prune();
        var merged = _tables.Result;
        merged.SampleType.Add(_types.Select(type => new ValueType { Type = _tables.Text(type.Type), Unit = _tables.Text(type.Unit) }));
        merged.TimeNanos = _start;
        merged.DurationNanos = _end - _start;
        foreach (var (key, value) in _samples)
        {
            merged.Sample.Add(new Sample { LocationId = { key.Locations }, Label = { key.Labels }, Value = { value } });
        }

        if (_cut > 0)
        {
            merged.Sample.Add(new Sample { LocationId = { _tables.Placeholder("(other)") }, Value = { _other } });
            merged.Comment.Add(_tables.Text($"{_cut} of the smallest stacks were summed up as \"(other)\" to keep within {_sampleLimit} stacks"));
        }

        if (Unreadable > 0)
        {
            merged.Comment.Add(_tables.Text($"{Unreadable} profiles of the range could not be read and are missing"));
        }

        return merged;
    }

    private StackKey Key(Profile profile, Sample sample, Dictionary<ulong, ulong> locations)
    {
        var stack = new ulong[sample.LocationId.Count];
        for (var i = 0; i < stack.Length; i++)
        {
            stack[i] = locations.TryGetValue(sample.LocationId[i], out var id)
                ? id
                : throw new FormatException($"a sample names location {sample.LocationId[i]}, which the profile does not have");
        }

        return new StackKey(stack, [.. sample.Label.Select(label => _tables.Import(profile, label))]);
    }

    private void Prune()
    {
        if (_samples.Count <= _sampleLimit)
        {
            return;
        }

        var ordered = _samples.OrderByDescending(sample => sample.Value.LastOrDefault()).ToArray();
        foreach (var (_, value) in ordered.AsSpan(_sampleLimit))
        {
            Sum(_other, value);
        }

        _cut += ordered.Length - _sampleLimit;
        _samples = new Dictionary<StackKey, long[]>(ordered.Take(_sampleLimit));
    }

    private static void Sum(long[] into, IList<long> values)
    {
        for (var i = 0; i < into.Length; i++)
        {
            into[i] += values[i];
        }
    }
}
