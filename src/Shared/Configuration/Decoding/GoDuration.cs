using System.Buffers;
using System.Globalization;
using System.Text;

namespace ActorProfiler.Configuration.Decoding;

/// <summary>Durations as Go writes them: <c>1h30m</c>, <c>1.5s</c>, <c>500ms</c>, <c>-2us</c>.</summary>
/// <remarks>https://pkg.go.dev/time#ParseDuration. Below 100 ns, a <see cref="TimeSpan"/>'s tick, digits are cut.</remarks>
public static class GoDuration
{
    private static readonly (string Unit, decimal Nanoseconds)[] _units =
    [
        ("ns", 1), ("us", 1e3m), ("µs", 1e3m), ("μs", 1e3m), ("ms", 1e6m), ("s", 1e9m), ("m", 60e9m), ("h", 3600e9m),
    ];

    private static readonly SearchValues<char> _numberLetters = SearchValues.Create("0123456789.");

    /// <exception cref="FormatException">The text has another form; the message holds it.</exception>
    public static TimeSpan Parse(string text)
    {
        var rest = text.AsSpan();
        var negative = rest.StartsWith("-");
        rest = negative || rest.StartsWith("+") ? rest[1..] : rest;
        if (rest.SequenceEqual("0"))
        {
            return TimeSpan.Zero;
        }

        if (rest.IsEmpty || text.Length > 64)
        {
            throw Malformed(text);
        }

        var nanoseconds = 0m;
        while (!rest.IsEmpty)
        {
            nanoseconds += Part(text, ref rest);
        }

        // Go counts nanoseconds in 64 bits.
        return nanoseconds <= long.MaxValue ? TimeSpan.FromTicks((long)(nanoseconds / 100) * (negative ? -1 : 1)) : throw Malformed(text);
    }

    /// <summary>The shortest such text: <c>1m30s</c>, <c>500ms</c>, <c>0s</c>.</summary>
    public static string Write(TimeSpan duration)
    {
        if (duration < TimeSpan.Zero)
        {
            return $"-{Write(duration.Negate())}";
        }

        if (duration.Ticks < TimeSpan.TicksPerSecond)
        {
            return duration == TimeSpan.Zero ? "0s"
                : duration.Ticks >= TimeSpan.TicksPerMillisecond ? $"{Number(duration.Ticks, TimeSpan.TicksPerMillisecond)}ms"
                : $"{Number(duration.Ticks, TimeSpan.TicksPerMicrosecond)}us";
        }

        var text = new StringBuilder();
        var hours = (long)duration.TotalHours;
        var seconds = duration.Ticks % TimeSpan.TicksPerMinute;
        text.Append(hours > 0 ? $"{hours}h" : "").Append(duration.Minutes > 0 ? $"{duration.Minutes}m" : "");
        return text.Append(seconds > 0 ? $"{Number(seconds, TimeSpan.TicksPerSecond)}s" : "").ToString();
    }

    private static string Number(long ticks, long unit) => (ticks / (decimal)unit).ToString("0.#######", CultureInfo.InvariantCulture);

    /// <summary>Takes a number and its unit from the start of the text.</summary>
    private static decimal Part(string text, ref ReadOnlySpan<char> rest)
    {
        var digits = rest.IndexOfAnyExcept(_numberLetters);
        var number = digits > 0 ? rest[..digits] : throw Malformed(text);
        rest = rest[digits..];
        var end = rest.IndexOfAny(_numberLetters);
        var name = (end < 0 ? rest : rest[..end]).ToString();
        rest = rest[name.Length..];
        var unit = Array.Find(_units, unit => unit.Unit == name);
        var isNumber = decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) && number.Length <= 20;
        return unit.Unit is not null && isNumber ? value * unit.Nanoseconds : throw Malformed(text);
    }

    private static FormatException Malformed(string text) =>
        new($"{Syntax.StringText.Quote(text)} is no duration; write a number and one of ns, us, ms, s, m, h, such as \"15s\" or \"1h30m\"");
}
