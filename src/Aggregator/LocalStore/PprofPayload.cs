using System.IO.Compression;
using ActorProfiler.Pprof;
using Google.Protobuf;

namespace ActorProfiler.Aggregator.LocalStore;

/// <summary>Opens and closes gzip-compressed profiles.</summary>
internal static class PprofPayload
{
    /// <summary>Most a profile may be when decompressed: a small payload must not become all of memory.</summary>
    public const int BytesLimit = 64 << 20;

    /// <exception cref="FormatException">It is no gzip-compressed profile, or larger than <see cref="BytesLimit"/>.</exception>
    public static Profile Open(ReadOnlyMemory<byte> payload)
    {
        try
        {
            using var source = new MemoryStream(payload.ToArray(), writable: false);
            using var gzip = new GZipStream(source, CompressionMode.Decompress);
            using var limited = CodedInputStream.CreateWithLimits(gzip, BytesLimit, recursionLimit: 16);
            return Profile.Parser.ParseFrom(limited);
        }
        catch (Exception cause) when (cause is InvalidDataException or InvalidProtocolBufferException)
        {
            throw new FormatException($"open a stored profile of {payload.Length} bytes: {cause.Message}", cause);
        }
    }

    public static byte[] Close(Profile profile)
    {
        using var target = new MemoryStream();
        using (var gzip = new GZipStream(target, CompressionLevel.Optimal))
        {
            profile.WriteTo(gzip);
        }

        return target.ToArray();
    }
}
