using ActorProfiler.Collector.Elf;
using ActorProfiler.Collector.Symbols;
using Proto = ActorProfiler.Protocol;

namespace ActorProfiler.Collector.Batching;

/// <summary>Gathers the stacks of one target into a batch: each string, function and location once.</summary>
/// <remarks>For one batch. Locations are interned by reference: the symbol caches give the same object for the same place.</remarks>
internal sealed class BatchBuilder
{
    private readonly Proto.SampleBatch _batch;
    private readonly Dictionary<string, uint> _strings = new(StringComparer.Ordinal) { [""] = 0 };
    private readonly Dictionary<Module, uint> _modules = [];
    private readonly Dictionary<Function, uint> _functions = [];
    private readonly Dictionary<Location, uint> _locations = [];
    private readonly Dictionary<StackKey, int> _samples = [];

    public BatchBuilder(DateTimeOffset start, TimeSpan duration, long periodNanos, uint weight)
    {
        const long NanosPerTick = 100;
        _batch = new Proto.SampleBatch
        {
            StartUnixNanos = (start - DateTimeOffset.UnixEpoch).Ticks * NanosPerTick,
            DurationNanos = duration.Ticks * NanosPerTick,
            PeriodNanos = periodNanos,
            Weight = weight,
            Strings = { "" },
        };
    }

    /// <summary>A stack's locations as a key; the array is not changed after it is made.</summary>
    private readonly record struct StackKey(uint[] Locations)
    {
        public bool Equals(StackKey other) => Locations.AsSpan().SequenceEqual(other.Locations);

        public override int GetHashCode()
        {
            var hash = default(HashCode);
            foreach (var location in Locations)
            {
                hash.Add(location);
            }

            return hash.ToHashCode();
        }
    }

    public long Ticks { get; private set; }

    /// <summary>Bytes the batch has at least when written: what to compare with a frame limit.</summary>
    public int ApproximateSize { get; private set; }

    /// <summary>Adds a stack, leaf first. Stacks with the same frames become one sample.</summary>
    public void Add(ReadOnlySpan<Location> frames, long ticks)
    {
        Ticks += ticks;
        var locations = new uint[frames.Length];
        for (var i = 0; i < frames.Length; i++)
        {
            locations[i] = IndexOf(frames[i]);
        }

        var key = new StackKey(locations);
        if (_samples.TryGetValue(key, out var sample))
        {
            _batch.Ticks[sample] += (ulong)ticks;
            return;
        }

        _samples.Add(key, _batch.Ticks.Count);
        _batch.Ticks.Add((ulong)ticks);
        _batch.Stacks.AddRange(locations);
        _batch.StackEnds.Add((uint)_batch.Stacks.Count);
        const int BytesPerSample = 6;
        ApproximateSize += BytesPerSample + (2 * locations.Length);
    }

    public Proto.SampleBatch Build() => _batch;

    private uint IndexOf(Location location)
    {
        if (_locations.TryGetValue(location, out var index))
        {
            return index;
        }

        var written = new Proto.Location
        {
            Module = location.Module is { } module ? IndexOf(module) + 1 : 0,
            Address = location.Address,
        };
        foreach (var line in location.Lines)
        {
            written.Lines.Add(new Proto.Line { Function = IndexOf(line.Function), Line_ = (uint)line.Number });
        }

        const int BytesPerLocation = 20;
        ApproximateSize += BytesPerLocation;
        return Append(_locations, location, _batch.Locations, written);
    }

    private uint IndexOf(Module module) =>
        _modules.TryGetValue(module, out var index) ? index : Append(_modules, module, _batch.Modules, new Proto.Module
        {
            File = IndexOf(module.File),
            BuildId = IndexOf(module.BuildId),
            Start = module.Start,
            Limit = module.Limit,
            Offset = module.Offset,
        });

    private uint IndexOf(Function function) =>
        _functions.TryGetValue(function, out var index) ? index : Append(_functions, function, _batch.Functions, new Proto.Function
        {
            Name = IndexOf(function.Name),
            SystemName = IndexOf(function.SystemName),
            File = IndexOf(function.File),
            StartLine = (uint)function.StartLine,
        });

    private uint IndexOf(string text)
    {
        if (_strings.TryGetValue(text, out var index))
        {
            return index;
        }

        ApproximateSize += text.Length;
        return Append(_strings, text, _batch.Strings, text);
    }

    private static uint Append<TKey, TItem>(Dictionary<TKey, uint> indexes, TKey key, ICollection<TItem> items, TItem item)
        where TKey : notnull
    {
        var index = (uint)items.Count;
        indexes.Add(key, index);
        items.Add(item);
        return index;
    }
}
