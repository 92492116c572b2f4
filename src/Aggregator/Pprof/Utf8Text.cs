using System.Text;

namespace ActorProfiler.Aggregator.Pprof;

/// <summary>Strings a server takes: valid UTF-8 of bounded length.</summary>
internal static class Utf8Text
{
    /// <summary><paramref name="text"/> with U+FFFD for each lone surrogate, cut before the character that would pass the limit.</summary>
    public static string Clean(string text, int byteLimit)
    {
        if (text.Length * 3 <= byteLimit && !text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'))
        {
            return text;
        }

        var clean = new StringBuilder(text.Length);
        var bytes = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            bytes += rune.Utf8SequenceLength;
            if (bytes > byteLimit)
            {
                break;
            }

            clean.Append(rune.ToString());
        }

        return clean.ToString();
    }
}
