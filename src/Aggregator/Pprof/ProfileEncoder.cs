using System.IO.Compression;
using ActorProfiler.Aggregator.Aggregation;
using ActorProfiler.Labels;
using Google.Protobuf;
using Wire = ActorProfiler.Pprof;

namespace ActorProfiler.Aggregator.Pprof;

/// <summary>Makes pprof of a merged profile, in as many parts as a Pyroscope server's limits ask for.</summary>
internal static class ProfileEncoder
{
    /// <summary>
    /// The parts, each a whole profile of its own with a time of its own; their values add up to the merged profile's.
    /// Empty when the profile has no samples.
    /// </summary>
    public static IReadOnlyList<EncodedProfile> Encode(LabelSet labels, MergedProfile merged, ProfileLimits limits, SeriesTimes times)
    {
        var parts = new List<EncodedProfile>();
        var part = new PprofBuilder(merged);
        foreach (var sample in merged.Samples)
        {
            if (part.SampleCount > 0 && (part.SampleCount >= limits.Samples || part.Bytes + part.CostOf(sample) > limits.Bytes))
            {
                parts.Add(Finish(part));
                part = new PprofBuilder(merged);
            }

            part.Add(sample);
        }

        if (part.SampleCount > 0)
        {
            parts.Add(Finish(part));
        }

        return parts;

        EncodedProfile Finish(PprofBuilder builder)
        {
            var time = times.Take(labels, merged.StartUnixNanos);
            return new EncodedProfile(labels, time, merged.DurationNanos, builder.Ticks, Compress(builder.Build(time)));
        }
    }

    public static ReadOnlyMemory<byte> Compress(Wire.Profile profile)
    {
        using var bytes = new MemoryStream();
        using (var gzip = new GZipStream(bytes, CompressionLevel.Optimal))
        {
            profile.WriteTo(gzip);
        }

        return bytes.ToArray();
    }
}

/// <summary>Bounds of one pushed profile.</summary>
/// <param name="Bytes">Before compression. A server takes 4 MiB, but never more at once than its burst of 2 MB.</param>
/// <param name="Samples">A server takes 16000.</param>
internal sealed record ProfileLimits(int Bytes = 1_500_000, int Samples = 16_000);
