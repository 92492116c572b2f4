using System.Buffers;
using System.Globalization;
using System.Text;

namespace ActorProfiler.Collector.Symbols.Demangling;

/// <summary>Names of Rust compilers before v0: nested C++ names with a hash at the end and escapes inside.</summary>
/// <remarks>Source: rustc-demangle, "legacy". Types and parameters are not in these names, so all modes show the same.</remarks>
internal static class RustLegacyDemangler
{
    private const int HashDigits = 16;
    private static readonly SearchValues<char> _hashDigits = SearchValues.Create("0123456789abcdef");

    /// <summary>The path without the hash, or null when the symbol is not of this kind.</summary>
    public static string? Demangle(string symbol)
    {
        if (!symbol.StartsWith("_ZN", StringComparison.Ordinal))
        {
            return null;
        }

        var parts = new List<Range>();
        var at = 3;
        while (at < symbol.Length && char.IsAsciiDigit(symbol[at]))
        {
            var start = at;
            while (at < symbol.Length && char.IsAsciiDigit(symbol[at]))
            {
                at++;
            }

            if (!int.TryParse(symbol.AsSpan(start, at - start), NumberStyles.None, CultureInfo.InvariantCulture, out var length) || length > symbol.Length - at)
            {
                return null;
            }

            parts.Add(at..(at + length));
            at += length;
        }

        var ends = at < symbol.Length && symbol[at] == 'E' && (at + 1 == symbol.Length || symbol[at + 1] == '.');
        return ends && parts.Count >= 2 && IsHash(symbol.AsSpan()[parts[^1]]) ? Join(symbol, parts) : null;
    }

    private static bool IsHash(ReadOnlySpan<char> part) =>
        part.Length == HashDigits + 1 && part[0] == 'h' && part[1..].IndexOfAnyExcept(_hashDigits) < 0 && Different(part[1..]) >= 5;

    private static int Different(ReadOnlySpan<char> digits)
    {
        var seen = 0;
        foreach (var digit in digits)
        {
            seen |= 1 << (char.IsAsciiDigit(digit) ? digit - '0' : digit - 'a' + 10);
        }

        return int.PopCount(seen);
    }

    private static string Join(string symbol, List<Range> parts)
    {
        var text = new StringBuilder();
        for (var i = 0; i < parts.Count - 1; i++)
        {
            text.Append(i > 0 ? "::" : "");
            Unescape(symbol.AsSpan()[parts[i]], text);
        }

        return text.ToString();
    }

    private static void Unescape(ReadOnlySpan<char> part, StringBuilder text)
    {
        part = part.StartsWith("_$") ? part[1..] : part;
        while (!part.IsEmpty)
        {
            if (part.StartsWith(".."))
            {
                text.Append("::");
                part = part[2..];
            }
            else if (part[0] == '$' && part[1..].IndexOf('$') is var end and > 0 && Escape(part.Slice(1, end)) is { } character)
            {
                text.Append(character);
                part = part[(end + 2)..];
            }
            else
            {
                text.Append(part[0]);
                part = part[1..];
            }
        }
    }

    private static string? Escape(ReadOnlySpan<char> code) => code switch
    {
        "SP" => "@",
        "BP" => "*",
        "RF" => "&",
        "LT" => "<",
        "GT" => ">",
        "LP" => "(",
        "RP" => ")",
        "C" => ",",
        ['u', .. var digits] when digits.Length <= 6 && int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var point) &&
            Rune.IsValid(point) && !Rune.IsControl(new Rune(point)) => new Rune(point).ToString(),
        _ => null,
    };
}
