using System.Globalization;
using System.IO.Hashing;
using System.Text;
using Google.Protobuf;

namespace ActorProfiler.Aggregator.Ingest;

/// <summary>
/// Whose certificate each collector id belongs to, on disk: a restart must not let another host take over an id. One line each,
/// <c>CRC-32 id owner</c>, the owner percent-encoded; of two lines for one id the later counts.
/// </summary>
/// <remarks>For one thread at a time.</remarks>
internal sealed class CollectorOwners(string path, int limit = CollectorOwners.Limit)
{
    public const int Limit = 50_000;

    /// <summary>What is known, at most as many as the limit, the latest. Damaged lines are left out and, like superseded ones, removed from the file.</summary>
    /// <exception cref="IOException">The file cannot be read or written.</exception>
    public IReadOnlyDictionary<ByteString, string> Read()
    {
        var lines = File.Exists(path) ? File.ReadAllLines(path) : [];
        var known = lines.Select(Parse).OfType<(ByteString Collector, string Owner)>().Reverse().DistinctBy(pair => pair.Collector).Take(limit).Reverse().ToList();
        if (known.Count != lines.Length)
        {
            var next = path + ".next";
            File.WriteAllLines(next, known.Select(Format));
            File.Move(next, path, overwrite: true);
        }

        return known.ToDictionary(pair => pair.Collector, pair => pair.Owner);
    }

    /// <exception cref="IOException">The disk is full or failed; they may be added again.</exception>
    public void Add(IEnumerable<(ByteString Collector, string Owner)> added) => File.AppendAllLines(path, added.Select(Format));

    private static string Format((ByteString Collector, string Owner) pair)
    {
        var text = $"{Convert.ToHexStringLower(pair.Collector.Span)} {Uri.EscapeDataString(pair.Owner)}";
        return $"{Checksum(text)} {text}";
    }

    private static (ByteString, string)? Parse(string line)
    {
        var fields = line.Split(' ');
        return fields.Length == 3 && fields[1].Length % 2 == 0 && fields[0] == Checksum($"{fields[1]} {fields[2]}")
            ? (ByteString.CopyFrom(Convert.FromHexString(fields[1])), Uri.UnescapeDataString(fields[2]))
            : null;
    }

    private static string Checksum(string text) => Crc32.HashToUInt32(Encoding.UTF8.GetBytes(text)).ToString("x8", CultureInfo.InvariantCulture);
}
