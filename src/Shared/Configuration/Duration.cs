using System.Buffers;
using System.Globalization;

namespace ActorProfiler.Configuration;

/// <summary>Durations as users write them: <c>15s</c>, <c>1h30m</c>, <c>1.5s</c>. Source: Go's time.ParseDuration.</summary>
public static class Duration
{
    private static readonly SearchValues<char> _number = SearchValues.Create("0123456789.");

    private static readonly (string Unit, double Nanoseconds)[] _units =
    [
        ("ns", 1), ("us", 1e3), ("µs", 1e3), ("μs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9),
    ];

    /// <summary>False when the text is no duration, or longer than a <see cref="TimeSpan"/> can be.</summary>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = default;
        var rest = text.AsSpan();
        var isNegative = rest.StartsWith("-");
        rest = isNegative || rest.StartsWith("+") ? rest[1..] : rest;
        if (rest.SequenceEqual("0"))
        {
            return true;
        }

        double nanoseconds = 0;
        while (rest.Length > 0)
        {
            if (!TryTake(ref rest, out var part))
            {
                return false;
            }

            nanoseconds += part;
        }

        if (nanoseconds == 0 && !text.Any(char.IsAsciiDigit) || nanoseconds > long.MaxValue)
        {
            return false;
        }

        duration = TimeSpan.FromTicks((long)(nanoseconds / TimeSpan.NanosecondsPerTick) * (isNegative ? -1 : 1));
        return true;
    }

    private static bool TryTake(ref ReadOnlySpan<char> rest, out double nanoseconds)
    {
        nanoseconds = 0;
        var digits = rest.IndexOfAnyExcept(_number);
        if (digits <= 0 || !double.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
        {
            return false;
        }

        rest = rest[digits..];
        var letters = rest.IndexOfAny(_number);
        var unit = letters < 0 ? rest : rest[..letters];
        foreach (var (name, factor) in _units)
        {
            if (unit.SequenceEqual(name))
            {
                nanoseconds = number * factor;
                rest = rest[unit.Length..];
                return true;
            }
        }

        return false;
    }
}
