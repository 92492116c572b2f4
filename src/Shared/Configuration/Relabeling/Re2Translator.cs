using System.Globalization;
using System.Text;

namespace ActorProfiler.Configuration.Relabeling;

/// <summary>Rewrites RE2 syntax as .NET syntax with the same meaning, and refuses what RE2 refuses.</summary>
/// <remarks>
/// Differences it bridges: <c>(?P&lt;n&gt;…)</c> and the numbers of such groups; <c>\d \w \s</c> and their opposites are ASCII; <c>$</c> means the very end;
/// <c>\z \Q…\E \C \pN \x{…}</c>, <c>[[:alpha:]]</c>; the flag U; no look-around, back references, atomic groups, subtraction or conditionals.
/// </remarks>
internal sealed class Re2Translator
{
    private const int PatternLimit = 8192;

    /// <summary>RE2's own: how often something may be repeated, nested repetitions multiplied.</summary>
    private const long RepeatLimit = 1000;

    /// <summary>Sum of all repetitions: bounds the memory of the compiled expression.</summary>
    private const long RepeatsLimit = 10_000;

    private const int DepthLimit = 100;

    private readonly string _pattern;
    private readonly StringBuilder _text = new();

    /// <summary>For each open group, how often the most repeated thing in it is repeated.</summary>
    private readonly Stack<long> _groups = new([1]);

    /// <summary>For each open group, whether the flag m was on around it.</summary>
    private readonly Stack<bool> _multilineAround = new();

    private readonly Dictionary<string, int> _names = new(StringComparer.Ordinal);

    private int _at;
    private int _captures;
    private long _repeats;
    private long _lastRepeat = 1;
    private bool _canRepeat;
    private bool _multiline;

    private Re2Translator(string pattern) => _pattern = pattern;

    /// <summary>The pattern for .NET, and the number of each named group: .NET would number those after all others.</summary>
    /// <exception cref="FormatException">The pattern is not RE2 syntax; the message quotes the part.</exception>
    public static (string Pattern, IReadOnlyDictionary<string, int> Names) Translate(string pattern)
    {
        if (pattern.Length > PatternLimit)
        {
            throw new FormatException($"error parsing regexp: the expression has {pattern.Length} characters, more than {PatternLimit}");
        }

        var translator = new Re2Translator(pattern);
        while (translator._at < pattern.Length)
        {
            translator.Next();
        }

        return translator._groups.Count == 1 ? (translator._text.ToString(), translator._names) : throw Malformed("missing closing )", pattern);
    }

    private void Next()
    {
        var letter = _pattern[_at];
        switch (letter)
        {
            case '(':
                OpenGroup();
                break;
            case ')':
                CloseGroup();
                break;
            case '[':
                Atom(Re2ClassReader.Read(_pattern, ref _at));
                break;
            case '\\':
                Escape();
                break;
            case '*' or '+' or '?':
                _at++;
                Repeat(letter.ToString(), times: 1);
                break;
            case '{' when TryReadCount(out var count, out var times):
                Repeat(count, times);
                break;
            case '|':
                _at++;
                _text.Append('|');
                _canRepeat = false;
                break;
            case '^':
                _at++;
                Atom("^");
                break;
            case '$':
                _at++;
                Atom(_multiline ? "$" : @"\z");
                break;
            default:
                Literal();
                break;
        }
    }

    private void Literal()
    {
        var length = char.IsHighSurrogate(_pattern[_at]) && _at + 1 < _pattern.Length ? 2 : 1;
        var text = _pattern.Substring(_at, length);
        _at += length;
        // Never left to .NET: # and blanks mean something there in some modes, and { } everywhere.
        Atom(length == 2 ? $"(?:{text})" : text == "." ? "." : Escaped(text[0]));
    }

    internal static string Escaped(char letter) => char.IsAsciiLetterOrDigit(letter) || letter > 127 ? letter.ToString() : $"\\x{(int)letter:x2}";

    private void Atom(string text)
    {
        _text.Append(text);
        _canRepeat = true;
        _lastRepeat = 1;
    }

    private void OpenGroup()
    {
        if (_groups.Count > DepthLimit)
        {
            throw Malformed("expression nests too deeply", _pattern);
        }

        if (!_pattern.AsSpan(_at).StartsWith("(?"))
        {
            _captures++;
            Open("(", 1);
            return;
        }

        var name = _pattern.AsSpan(_at).StartsWith("(?P<") ? 4 : _pattern.AsSpan(_at).StartsWith("(?<") ? 3 : 0;
        if (name == 0)
        {
            OpenFlags();
            return;
        }

        var end = _pattern.IndexOf('>', _at);
        var text = end > 0 ? _pattern[(_at + name)..end] : "";
        if (text.Length == 0 || char.IsAsciiDigit(text[0]) || !text.All(letter => letter == '_' || char.IsAsciiLetterOrDigit(letter)))
        {
            throw Malformed("invalid named capture", _pattern[_at..]);
        }

        if (!_names.TryAdd(text, ++_captures))
        {
            throw Malformed("duplicate capture group name", text);
        }

        Open("(", end + 1 - _at);
    }

    private void OpenFlags()
    {
        var end = _pattern.AsSpan(_at + 2).IndexOfAnyExcept("imsU-");
        var flags = end >= 0 ? _pattern.Substring(_at + 2, end) : "";
        var close = end >= 0 ? _pattern[_at + 2 + end] : '\0';
        var dashes = flags.Count(letter => letter == '-');
        if (close is not (':' or ')') || dashes > 1 || flags.EndsWith('-') || (close == ')' && flags.Length == 0) || flags.Contains('U'))
        {
            throw Malformed(flags.Contains('U') ? "the flag U is not supported; write *? for *" : "invalid or unsupported Perl syntax", _pattern[_at..Math.Min(_pattern.Length, _at + 4)]);
        }

        var multiline = flags.Split('-') is var parts && (parts[0].Contains('m') || (_multiline && !(parts.Length == 2 && parts[1].Contains('m'))));
        if (close == ':')
        {
            Open($"(?{flags}:", flags.Length + 3);
        }
        else
        {
            _text.Append("(?").Append(flags).Append(')');
            _at += flags.Length + 3;
            _canRepeat = false;
        }

        _multiline = multiline;
    }

    private void Open(string text, int length)
    {
        _text.Append(text);
        _at += length;
        _groups.Push(1);
        _multilineAround.Push(_multiline);
        _canRepeat = false;
    }

    private void CloseGroup()
    {
        if (_groups.Count == 1)
        {
            throw Malformed("unexpected )", _pattern);
        }

        _at++;
        _text.Append(')');
        _canRepeat = true;
        _multiline = _multilineAround.Pop();
        _lastRepeat = _groups.Pop();
        _groups.Push(Math.Max(_groups.Pop(), _lastRepeat));
    }

    private void Repeat(string operation, long times)
    {
        if (!_canRepeat)
        {
            throw Malformed("missing argument to repetition operator", operation);
        }

        var lazy = _at < _pattern.Length && _pattern[_at] == '?';
        _at += lazy ? 1 : 0;
        _text.Append(operation).Append(lazy ? "?" : "");
        _canRepeat = false; // RE2 refuses a**
        var total = _lastRepeat * Math.Max(1, times);
        if (times > RepeatLimit || total > RepeatLimit)
        {
            throw Malformed("invalid repeat count", operation);
        }

        _repeats += total > 1 ? total : 0;
        if (_repeats > RepeatsLimit)
        {
            throw Malformed("expression too large", _pattern);
        }

        _groups.Push(Math.Max(_groups.Pop(), total));
    }

    /// <summary><c>{2}</c>, <c>{2,}</c>, <c>{2,5}</c>; any other brace is itself.</summary>
    private bool TryReadCount(out string text, out long times)
    {
        (text, times) = ("", 0);
        var end = _pattern.IndexOf('}', _at);
        var parts = end > 0 && end - _at <= 24 ? _pattern[(_at + 1)..end].Split(',') : [];
        if (parts.Length is 0 or > 2 || !IsCount(parts[0]) || (parts.Length == 2 && parts[1].Length > 0 && !IsCount(parts[1])))
        {
            return false;
        }

        text = _pattern[_at..(end + 1)];
        var least = long.Parse(parts[0], CultureInfo.InvariantCulture);
        times = parts.Length == 2 && parts[1].Length > 0 ? long.Parse(parts[1], CultureInfo.InvariantCulture) : least;
        if (times < least)
        {
            throw Malformed("invalid repeat count", text);
        }

        _at = end + 1;
        return true;
    }

    private static bool IsCount(string text) => text.Length is > 0 and <= 9 && text.All(char.IsAsciiDigit);

    private void Escape()
    {
        if (_at + 1 >= _pattern.Length)
        {
            throw Malformed("trailing backslash at end of expression", "");
        }

        var letter = _pattern[_at + 1];
        if (letter == 'Q')
        {
            Quoted();
        }
        else if (letter is 'A' or 'z' or 'b' or 'B')
        {
            _at += 2;
            Atom($"\\{letter}");
        }
        else
        {
            Atom(Re2ClassReader.ReadEscape(_pattern, ref _at, inClass: false));
        }
    }

    /// <summary><c>\Q…\E</c>: everything between is itself.</summary>
    private void Quoted()
    {
        var end = _pattern.IndexOf(@"\E", _at + 2, StringComparison.Ordinal);
        foreach (var letter in _pattern[(_at + 2)..(end < 0 ? _pattern.Length : end)])
        {
            Atom(Escaped(letter));
        }

        _at = end < 0 ? _pattern.Length : end + 2;
    }

    private static FormatException Malformed(string problem, string part) => new($"error parsing regexp: {problem}: `{part}`");
}
