using System.Runtime.InteropServices;
using ActorProfiler.Protocol;

namespace ActorProfiler.Aggregator.Aggregation;

/// <summary>Merges the batches of one series. Batches of different periods and weights merge by CPU time.</summary>
/// <remarks>Not thread-safe. Takes only batches that <see cref="BatchDecoder"/> has checked. Sums stop at <see cref="long.MaxValue"/>.</remarks>
internal sealed class ProfileWindow
{
    private readonly Interned<string> _strings = new(StringComparer.Ordinal);
    private readonly Interned<MergedModule> _modules = new(EqualityComparer<MergedModule>.Default);
    private readonly Interned<MergedFunction> _functions = new(EqualityComparer<MergedFunction>.Default);
    private readonly InternedSpans<ulong> _locations = new();
    private readonly List<MergedLocation> _mergedLocations = [];
    private readonly InternedSpans<int> _stacks = new();
    private readonly List<(long Nanos, long Ticks)> _values = [];
    private readonly List<BatchId> _batches = [];
    private readonly List<ulong> _key = [];
    private readonly List<int> _stack = [];
    private long _start = long.MaxValue;
    private long _end = long.MinValue;
    private long _period = long.MaxValue;
    private long _ticks;

    public ProfileWindow() => _strings.IndexOf("");

    /// <summary>The batches in it, in order of arrival.</summary>
    public IReadOnlyList<BatchId> Batches => _batches;

    /// <summary>Distinct stacks in it.</summary>
    public int SampleCount => _values.Count;

    public void Add(BatchId id, SampleBatch batch)
    {
        _batches.Add(id);
        _start = Math.Min(_start, batch.StartUnixNanos);
        _end = Math.Max(_end, batch.StartUnixNanos + batch.DurationNanos);
        _period = Math.Min(_period, batch.PeriodNanos);

        var locations = MergeLocations(batch);
        var first = 0;
        for (var i = 0; i < batch.Ticks.Count; i++)
        {
            var end = (int)batch.StackEnds[i];
            _stack.Clear();
            for (var frame = first; frame < end; frame++)
            {
                _stack.Add(locations[(int)batch.Stacks[frame]]);
            }

            AddSample((long)batch.Ticks[i], batch.Weight * batch.PeriodNanos);
            first = end;
        }
    }

    /// <summary>The profile of all batches added. The window must not be used afterwards.</summary>
    public MergedProfile Flush()
    {
        var samples = new MergedSample[_values.Count];
        for (var i = 0; i < samples.Length; i++)
        {
            samples[i] = new MergedSample(_stacks.Items[i], _values[i].Nanos, _values[i].Ticks);
        }

        return new MergedProfile(
            _start, _end - _start, _period, _ticks, _strings.Items, _modules.Items, _functions.Items, _mergedLocations, samples);
    }

    private void AddSample(long ticks, long nanosPerTick)
    {
        _ticks = SaturatingAdd(_ticks, ticks);
        var index = _stacks.IndexOf(CollectionsMarshal.AsSpan(_stack), out var added);
        if (added)
        {
            _values.Add(default);
        }

        var (nanos, before) = _values[index];
        _values[index] = (SaturatingAdd(nanos, ticks * nanosPerTick), SaturatingAdd(before, ticks));
    }

    private int[] MergeLocations(SampleBatch batch)
    {
        var strings = Map(batch.Strings, _strings.IndexOf);
        var modules = Map(batch.Modules, module => _modules.IndexOf(new MergedModule(
            strings[module.File], strings[module.BuildId], module.Start, module.Limit, module.Offset)));
        var functions = Map(batch.Functions, function => _functions.IndexOf(new MergedFunction(
            strings[function.Name], strings[function.SystemName], strings[function.File], function.StartLine)));

        return Map(batch.Locations, location => MergeLocation(location, modules, functions));
    }

    private int MergeLocation(Protocol.Location location, int[] modules, int[] functions)
    {
        var module = location.Module == 0 ? -1 : modules[location.Module - 1];
        _key.Clear();
        _key.Add((ulong)module);
        _key.Add(location.Address);
        foreach (var line in location.Lines)
        {
            _key.Add((ulong)functions[line.Function] << 32 | line.Line_);
        }

        var index = _locations.IndexOf(CollectionsMarshal.AsSpan(_key), out var added);
        if (added)
        {
            var lines = location.Lines.Select(line => new MergedLine(functions[line.Function], line.Line_));
            _mergedLocations.Add(new MergedLocation(module, location.Address, [.. lines]));
        }

        return index;
    }

    private static int[] Map<T>(IReadOnlyList<T> items, Func<T, int> map)
    {
        var mapped = new int[items.Count];
        for (var i = 0; i < mapped.Length; i++)
        {
            mapped[i] = map(items[i]);
        }

        return mapped;
    }

    private static long SaturatingAdd(long left, long right) => left > long.MaxValue - right ? long.MaxValue : left + right;
}
