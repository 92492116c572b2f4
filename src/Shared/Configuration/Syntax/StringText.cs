using System.Globalization;
using System.Text;

namespace ActorProfiler.Configuration.Syntax;

/// <summary>The written form of strings.</summary>
public static class StringText
{
    /// <summary>What a string token stands for.</summary>
    /// <param name="problem">Null, or what is wrong with the text and where, counted from its start.</param>
    public static string Unquote(string written, out (int At, string Message)? problem)
    {
        problem = null;
        if (written.Length < 2 || written[0] != written[^1])
        {
            return written; // not closed, which the scanner has reported
        }

        if (written[0] == '`')
        {
            return written[1..^1].Replace("\r", "", StringComparison.Ordinal);
        }

        var text = new StringBuilder(written.Length);
        for (var at = 1; at < written.Length - 1;)
        {
            if (written[at] != '\\')
            {
                text.Append(written[at++]);
                continue;
            }

            var length = Escape(written.AsSpan(at, written.Length - 1 - at), text);
            if (length == 0)
            {
                problem ??= (at, $"unknown escape sequence {written.Substring(at, Math.Min(2, written.Length - at))}; a backslash is written \\\\, or use a `raw string`");
                length = 2;
            }

            at += length;
        }

        return text.ToString();
    }

    /// <summary>The text as a double-quoted string.</summary>
    public static string Quote(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (var letter in text)
        {
            quoted.Append(letter switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                < ' ' or '\u007f' => $"\\u{(int)letter:x4}",
                _ => letter.ToString(),
            });
        }

        return quoted.Append('"').ToString();
    }

    /// <summary>Reads one escape sequence; its length, or 0 when there is no such sequence.</summary>
    private static int Escape(ReadOnlySpan<char> text, StringBuilder into)
    {
        if (text.Length < 2)
        {
            return 0;
        }

        if (text[1] is >= '0' and <= '7')
        {
            return Octal(text, into);
        }

        var digits = text[1] switch { 'x' => 2, 'u' => 4, 'U' => 8, _ => 0 };
        if (digits > 0)
        {
            return Hexadecimal(text, digits, into);
        }

        var index = "abfnrtv\\\"".IndexOf(text[1], StringComparison.Ordinal);
        if (index < 0)
        {
            return 0;
        }

        into.Append("\a\b\f\n\r\t\v\\\""[index]);
        return 2;
    }

    private static int Octal(ReadOnlySpan<char> text, StringBuilder into)
    {
        if (text.Length < 4 || text[1] > '3' || text[2] is < '0' or > '7' || text[3] is < '0' or > '7')
        {
            return 0;
        }

        into.Append((char)(((text[1] - '0') << 6) | ((text[2] - '0') << 3) | (text[3] - '0')));
        return 4;
    }

    private static int Hexadecimal(ReadOnlySpan<char> text, int digits, StringBuilder into)
    {
        if (text.Length < 2 + digits || !uint.TryParse(text.Slice(2, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code) || !Rune.IsValid(code))
        {
            return 0;
        }

        into.Append(new Rune(code).ToString());
        return 2 + digits;
    }
}
