using System.Globalization;

namespace ActorProfiler.Collector.Symbols;

/// <param name="NameAt">Where its name begins among the names read so far.</param>
internal readonly record struct PerfMapEntry(ulong Start, ulong End, int NameAt, int NameLength);

/// <summary>Parses lines of a perf map: <c>start size name</c>, the numbers hexadecimal, with or without 0x.</summary>
/// <remarks>Source: Linux, tools/perf/Documentation/jit-interface.txt.</remarks>
internal static class PerfMapParser
{
    private const int NameBytes = 1024;

    /// <summary>Reads one line without its newline. False when it is no such line; nobody promises that all are.</summary>
    public static bool TryParse(ReadOnlySpan<byte> line, out ulong start, out ulong end, out ReadOnlySpan<byte> name)
    {
        (start, end) = (0, 0);
        name = default;
        line = line.TrimEnd((byte)'\r');
        var first = line.IndexOf((byte)' ');
        var second = first < 0 ? -1 : line[(first + 1)..].IndexOf((byte)' ');
        if (second <= 0 || !TryHex(line[..first], out start) || !TryHex(line.Slice(first + 1, second), out var size) ||
            size == 0 || size > ulong.MaxValue - start)
        {
            return false;
        }

        end = start + size;
        name = line[(first + second + 2)..];
        name = name.Length > NameBytes ? name[..NameBytes] : name;
        return !name.IsEmpty;
    }

    private static bool TryHex(ReadOnlySpan<byte> text, out ulong number) =>
        ulong.TryParse(text.StartsWith("0x"u8) ? text[2..] : text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out number);
}
