using System.IO.Compression;
using Wire = ActorProfiler.Pprof;

namespace ActorProfiler.Aggregator.Pprof;

/// <summary>Halves a profile that a server found too large.</summary>
internal static class ProfileSplitter
{
    /// <summary>Two profiles whose samples add up to those of <paramref name="profile"/>, or none when it has only one sample.</summary>
    /// <remarks>The first keeps the time. Ticks are shared out by value, so that their sum stays exact.</remarks>
    public static IReadOnlyList<EncodedProfile> Split(EncodedProfile profile, SeriesTimes times)
    {
        var whole = Decode(profile.Pprof);
        if (whole.Sample.Count < 2)
        {
            return [];
        }

        var middle = whole.Sample.Count / 2;
        var (first, second) = (Part(whole, 0, middle), Part(whole, middle, whole.Sample.Count));
        second.TimeNanos = times.Take(profile.Labels, profile.TimeNanos);
        var ticks = Share(profile.Ticks, Sum(first), Sum(whole));

        return
        [
            profile with { Ticks = ticks, Pprof = ProfileEncoder.Compress(first) },
            profile with { TimeNanos = second.TimeNanos, Ticks = profile.Ticks - ticks, Pprof = ProfileEncoder.Compress(second) },
        ];
    }

    public static Wire.Profile Decode(ReadOnlyMemory<byte> pprof)
    {
        using var gzip = new GZipStream(new MemoryStream(pprof.ToArray()), CompressionMode.Decompress);
        return Wire.Profile.Parser.ParseFrom(gzip);
    }

    private static Wire.Profile Part(Wire.Profile whole, int from, int to)
    {
        var part = new Wire.Profile
        {
            PeriodType = whole.PeriodType,
            Period = whole.Period,
            TimeNanos = whole.TimeNanos,
            DurationNanos = whole.DurationNanos,
        };
        part.SampleType.AddRange(whole.SampleType);
        var (locations, functions, mappings) = (new HashSet<ulong>(), new HashSet<ulong>(), new HashSet<ulong>());
        for (var i = from; i < to; i++)
        {
            part.Sample.Add(whole.Sample[i]);
            locations.UnionWith(whole.Sample[i].LocationId);
        }

        part.Location.AddRange(whole.Location.Where(location => locations.Contains(location.Id)));
        functions.UnionWith(part.Location.SelectMany(location => location.Line).Select(line => line.FunctionId));
        mappings.UnionWith(part.Location.Select(location => location.MappingId));
        part.Function.AddRange(whole.Function.Where(function => functions.Contains(function.Id)).Select(function => function.Clone()));
        part.Mapping.AddRange(whole.Mapping.Where(mapping => mappings.Contains(mapping.Id)).Select(mapping => mapping.Clone()));
        KeepStrings(part, whole);
        return part;
    }

    private static void KeepStrings(Wire.Profile part, Wire.Profile whole)
    {
        var indexes = new Dictionary<long, long> { [0] = 0 };
        part.StringTable.Add("");
        long Keep(long index)
        {
            if (!indexes.TryGetValue(index, out var kept))
            {
                kept = part.StringTable.Count;
                part.StringTable.Add(whole.StringTable[(int)index]);
                indexes.Add(index, kept);
            }

            return kept;
        }

        for (var i = 0; i < part.SampleType.Count; i++)
        {
            part.SampleType[i] = new Wire.ValueType { Type = Keep(whole.SampleType[i].Type), Unit = Keep(whole.SampleType[i].Unit) };
        }

        part.PeriodType = new Wire.ValueType { Type = Keep(whole.PeriodType.Type), Unit = Keep(whole.PeriodType.Unit) };
        foreach (var function in part.Function)
        {
            (function.Name, function.SystemName, function.Filename) = (Keep(function.Name), Keep(function.SystemName), Keep(function.Filename));
        }

        foreach (var mapping in part.Mapping)
        {
            (mapping.Filename, mapping.BuildId) = (Keep(mapping.Filename), Keep(mapping.BuildId));
        }
    }

    private static Int128 Sum(Wire.Profile profile) => profile.Sample.Aggregate(Int128.Zero, (sum, sample) => sum + sample.Value[0]);

    private static long Share(long ticks, Int128 part, Int128 whole) => whole == 0 ? 0 : (long)(ticks * part / whole);
}
