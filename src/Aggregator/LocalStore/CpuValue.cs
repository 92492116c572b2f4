using ActorProfiler.Pprof;

namespace ActorProfiler.Aggregator.LocalStore;

/// <summary>Where the CPU time of a sample is: nanoseconds = <c>value[Index] * Scale</c>.</summary>
internal readonly record struct CpuValue(int Index, long Scale)
{
    /// <summary>The value in nanoseconds named cpu, else any in nanoseconds, else the sample count times the period.</summary>
    /// <exception cref="FormatException">The profile has none of them.</exception>
    public static CpuValue Of(Profile profile)
    {
        var (nanoseconds, counts) = (-1, -1);
        for (var i = 0; i < profile.SampleType.Count; i++)
        {
            var type = (profile.TextAt(profile.SampleType[i].Type), profile.TextAt(profile.SampleType[i].Unit));
            if (type == ("cpu", "nanoseconds"))
            {
                return new CpuValue(i, 1);
            }

            nanoseconds = type.Item2 == "nanoseconds" ? i : nanoseconds;
            counts = type == ("samples", "count") ? i : counts;
        }

        if (nanoseconds >= 0)
        {
            return new CpuValue(nanoseconds, 1);
        }

        return counts >= 0 && profile.Period > 0
            ? new CpuValue(counts, profile.Period)
            : throw new FormatException("the profile has no value in nanoseconds and no sample count with a period");
    }

    public long In(Sample sample) =>
        Index < sample.Value.Count
            ? sample.Value[Index] * Scale
            : throw new FormatException($"a sample has {sample.Value.Count} values, fewer than the profile's types");
}
