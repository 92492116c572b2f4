using System.Text;
using ActorProfiler.Collector.Elf;

namespace ActorProfiler.Collector.Symbols.Demangling;

/// <summary>Decodes Unicode identifiers of Rust's v0 names: punycode with '_' as its delimiter. Source: RFC 3492 §6.2.</summary>
internal static class RustPunycode
{
    private const int Base = 36, SmallestThreshold = 1, LargestThreshold = 26, Skew = 38, Damp = 700;

    /// <summary>The identifier, or null when the text is malformed.</summary>
    public static string? Decode(string encoded)
    {
        var delimiter = encoded.LastIndexOf('_');
        var runes = new List<Rune>();
        foreach (var character in delimiter < 0 ? "" : encoded[..delimiter])
        {
            runes.Add(new Rune(character));
        }

        var (point, index, bias) = (128, 0, 72);
        for (var at = delimiter + 1; at < encoded.Length;)
        {
            if (ReadInteger(encoded, ref at, bias) is not { } delta || delta > int.MaxValue - index)
            {
                return null;
            }

            var before = index;
            index += delta;
            var count = runes.Count + 1;
            bias = Adapt(index - before, count, before == 0 && runes.Count == (delimiter < 0 ? 0 : delimiter));
            point += index / count;
            index %= count;
            if (!Rune.IsValid(point))
            {
                return null;
            }

            runes.Insert(index++, new Rune(point));
        }

        return SymbolText.Clean(string.Concat(runes));
    }

    private static int? ReadInteger(string encoded, ref int at, int bias)
    {
        long value = 0, weight = 1;
        for (var k = Base; at < encoded.Length; k += Base)
        {
            var character = encoded[at++];
            var digit = char.IsAsciiLetterLower(character) ? character - 'a' : char.IsAsciiDigit(character) ? character - '0' + 26 : -1;
            if (digit < 0)
            {
                return null;
            }

            value += digit * weight;
            var threshold = Math.Clamp(k - bias, SmallestThreshold, LargestThreshold);
            if (digit < threshold)
            {
                return value <= int.MaxValue ? (int)value : null;
            }

            weight *= Base - threshold;
            if (weight > int.MaxValue || value > int.MaxValue)
            {
                return null;
            }
        }

        return null;
    }

    private static int Adapt(int delta, int count, bool isFirst)
    {
        delta = isFirst ? delta / Damp : delta / 2;
        delta += delta / count;
        var k = 0;
        for (; delta > (Base - SmallestThreshold) * LargestThreshold / 2; k += Base)
        {
            delta /= Base - SmallestThreshold;
        }

        return k + (Base - SmallestThreshold + 1) * delta / (delta + Skew);
    }
}
