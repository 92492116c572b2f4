using System.Globalization;
using System.Text;

namespace ActorProfiler.Configuration.Relabeling;

/// <summary>Reads the classes and escapes of RE2 and writes them for .NET.</summary>
internal static class Re2ClassReader
{
    private static readonly Dictionary<string, string> _posix = new(StringComparer.Ordinal)
    {
        ["alnum"] = "0-9A-Za-z",
        ["alpha"] = "A-Za-z",
        ["ascii"] = @"\x00-\x7f",
        ["blank"] = @"\t\x20",
        ["cntrl"] = @"\x00-\x1f\x7f",
        ["digit"] = "0-9",
        ["graph"] = @"\x21-\x7e",
        ["lower"] = "a-z",
        ["print"] = @"\x20-\x7e",
        ["punct"] = @"\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e",
        ["space"] = @"\t\n\v\f\r\x20",
        ["upper"] = "A-Z",
        ["word"] = "0-9A-Za-z_",
        ["xdigit"] = "0-9A-Fa-f",
    };

    /// <summary>Opposites of the classes above, as ranges: a .NET class cannot hold a negated class.</summary>
    private static readonly Dictionary<string, string> _opposites = new(StringComparer.Ordinal)
    {
        ["alnum"] = @"\x00-\x2f\x3a-\x40\x5b-\x60\x7b-\uffff",
        ["alpha"] = @"\x00-\x40\x5b-\x60\x7b-\uffff",
        ["ascii"] = @"\x80-\uffff",
        ["blank"] = @"\x00-\x08\x0a-\x1f\x21-\uffff",
        ["cntrl"] = @"\x20-\x7e\x80-\uffff",
        ["digit"] = @"\x00-\x2f\x3a-\uffff",
        ["graph"] = @"\x00-\x20\x7f-\uffff",
        ["lower"] = @"\x00-\x60\x7b-\uffff",
        ["print"] = @"\x00-\x1f\x7f-\uffff",
        ["punct"] = @"\x00-\x20\x30-\x39\x41-\x5a\x61-\x7a\x7f-\uffff",
        ["space"] = @"\x00-\x08\x0e-\x1f\x21-\uffff",
        ["upper"] = @"\x00-\x40\x5b-\uffff",
        ["word"] = @"\x00-\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\uffff",
        ["xdigit"] = @"\x00-\x2f\x3a-\x40\x47-\x60\x67-\uffff",
    };

    /// <summary>Reads a class from its bracket at <paramref name="at"/>, which ends past the closing one.</summary>
    public static string Read(string pattern, ref int at)
    {
        var start = at++;
        var text = new StringBuilder("[");
        if (at < pattern.Length && pattern[at] == '^')
        {
            text.Append('^');
            at++;
        }

        for (var isFirst = true; isFirst || At(pattern, at) != ']'; isFirst = false)
        {
            if (at >= pattern.Length)
            {
                throw Malformed("missing closing ]", pattern[start..]);
            }

            if (pattern.AsSpan(at).StartsWith("[:") && pattern.IndexOf(":]", at + 2, StringComparison.Ordinal) is var end and > 0)
            {
                text.Append(Posix(pattern[(at + 2)..end], pattern[at..(end + 2)]));
                at = end + 2;
                continue;
            }

            ReadItem(pattern, ref at, text);
        }

        at++;
        return text.Append(']').ToString();
    }

    /// <summary>Reads an escape from its backslash at <paramref name="at"/>.</summary>
    /// <param name="inClass">The result stands between brackets.</param>
    public static string ReadEscape(string pattern, ref int at, bool inClass)
    {
        var start = at;
        var letter = At(pattern, at + 1);
        at += 2;
        switch (letter)
        {
            case 'd' or 's' or 'w':
                return Bracketed((letter switch { 'd' => _posix["digit"], 'w' => _posix["word"], _ => @"\t\n\f\r\x20" }), inClass);
            case 'D' or 'S' or 'W':
                return Bracketed((letter switch { 'D' => _opposites["digit"], 'W' => _opposites["word"], _ => @"\x00-\x08\x0b\x0e-\x1f\x21-\uffff" }), inClass);
            case 'p' or 'P':
                return Property(pattern, ref at, letter);
            case 'x':
                return Hexadecimal(pattern, ref at, start);
            case 'a' or 'f' or 't' or 'n' or 'r' or 'v':
                return $"\\{letter}";
            case >= '0' and <= '7' when letter == '0' || (At(pattern, at) is >= '0' and <= '7' && At(pattern, at + 1) is >= '0' and <= '7'):
                return Octal(pattern, ref at);
            case not '\0' when letter < 128 && !char.IsAsciiLetterOrDigit(letter):
                return Re2Translator.Escaped(letter);
            default:
                throw Malformed("invalid escape sequence", pattern[start..Math.Min(pattern.Length, start + 2)]);
        }
    }

    private static string Posix(string name, string written)
    {
        var negated = name.StartsWith('^');
        return (negated ? _opposites : _posix).TryGetValue(name[(negated ? 1 : 0)..], out var ranges) ? ranges : throw Malformed("invalid character class range", written);
    }

    /// <summary>One character or range of a class.</summary>
    private static void ReadItem(string pattern, ref int at, StringBuilder text)
    {
        var start = at;
        var low = Item(pattern, ref at, out var lowCode);
        if (At(pattern, at) != '-' || At(pattern, at + 1) is ']' or '\0')
        {
            text.Append(low);
            return;
        }

        at++;
        var high = Item(pattern, ref at, out var highCode);
        if (lowCode < 0 || highCode < lowCode)
        {
            throw Malformed("invalid character class range", pattern[start..at]);
        }

        text.Append(low).Append('-').Append(high);
    }

    /// <param name="code">The character, or -1 when it is a class of its own.</param>
    private static string Item(string pattern, ref int at, out int code)
    {
        var letter = At(pattern, at);
        if (letter == '\\')
        {
            var start = at;
            var text = ReadEscape(pattern, ref at, inClass: true);
            var isClass = At(pattern, start + 1) is 'd' or 'D' or 's' or 'S' or 'w' or 'W' or 'p' or 'P';
            code = isClass ? -1 : System.Text.RegularExpressions.Regex.Unescape(text) is [var single] ? single : -1;
            return text;
        }

        if (char.IsSurrogate(letter))
        {
            throw Malformed("characters outside the basic plane are not supported in a class", pattern.Substring(at, Math.Min(2, pattern.Length - at)));
        }

        at++;
        code = letter;
        return Re2Translator.Escaped(letter);
    }

    private static string Bracketed(string ranges, bool inClass) => inClass ? ranges : $"[{ranges}]";

    private static string Property(string pattern, ref int at, char letter)
    {
        var end = At(pattern, at) == '{' ? pattern.IndexOf('}', at) : at;
        var name = At(pattern, at) == '{' && end > 0 ? pattern[(at + 1)..end] : At(pattern, at).ToString();
        var negated = (letter == 'P') ^ name.StartsWith('^');
        name = name.TrimStart('^');
        if (end < 0 || name.Length is 0 or > 2 || !char.IsAsciiLetterUpper(name[0]))
        {
            throw Malformed("only Unicode categories such as \\pL or \\p{Lu} are supported, not scripts", name);
        }

        at = end + 1;
        return $"\\{(negated ? 'P' : 'p')}{{{name}}}";
    }

    private static string Hexadecimal(string pattern, ref int at, int start)
    {
        var braced = At(pattern, at) == '{';
        var end = braced ? pattern.IndexOf('}', at) : at + 2;
        var digits = end > 0 && end <= pattern.Length ? pattern[(at + (braced ? 1 : 0))..end] : "";
        if (digits.Length is 0 or > 6 || !int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code) || code > 0xffff || char.IsSurrogate((char)code))
        {
            throw Malformed("invalid escape sequence", pattern[start..Math.Min(pattern.Length, start + 4)]);
        }

        at = braced ? end + 1 : end;
        return $"\\u{code:x4}";
    }

    private static string Octal(string pattern, ref int at)
    {
        at--;
        var code = 0;
        for (var digits = 0; digits < 3 && At(pattern, at) is >= '0' and <= '7'; digits++)
        {
            code = (code * 8) + pattern[at++] - '0';
        }

        return $"\\u{code:x4}";
    }

    private static char At(string pattern, int index) => index < pattern.Length ? pattern[index] : '\0';

    private static FormatException Malformed(string problem, string part) => new($"error parsing regexp: {problem}: `{part}`");
}
