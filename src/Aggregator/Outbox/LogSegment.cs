using System.Globalization;

namespace ActorProfiler.Aggregator.Outbox;

/// <summary>One file of the log. Its name says its place in the log and the totals of what is before it, so that damage inside cannot hide them.</summary>
internal sealed class LogSegment(string path, long number, LogTotals start)
{
    private const string Prefix = "outbox-";
    private const string Extension = ".log";

    public string Path => path;

    public long Number => number;

    public LogTotals Start => start;

    /// <summary>Bytes that count; what may be behind them is overwritten by the next record.</summary>
    public long Length { get; set; }

    public static LogSegment New(string folder, long number, LogTotals start) => new(
        System.IO.Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{Prefix}{number:x8}-{start.NextId:x16}-{start.Ticks:x16}{Extension}")), number, start);

    /// <summary>The segments of a folder, oldest first. Other files are passed over.</summary>
    public static IEnumerable<LogSegment> In(string folder) =>
        Directory.EnumerateFiles(folder, $"{Prefix}*{Extension}").Select(Parse).OfType<LogSegment>().OrderBy(segment => segment.Number);

    private static LogSegment? Parse(string path)
    {
        var fields = System.IO.Path.GetFileNameWithoutExtension(path)[Prefix.Length..].Split('-');
        return fields.Length == 3 && TryHex(fields[0], out var number) && TryHex(fields[1], out var nextId) && TryHex(fields[2], out var ticks)
            ? new LogSegment(path, number, new LogTotals(nextId, ticks)) { Length = new FileInfo(path).Length }
            : null;
    }

    private static bool TryHex(string text, out long value) =>
        long.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value) && value >= 0;
}

/// <summary>Where a record is.</summary>
/// <param name="Length">Of the whole record.</param>
internal readonly record struct LogPlace(LogSegment Segment, long Offset, int Length);
