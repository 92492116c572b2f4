using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace ActorProfiler.Configuration.Relabeling;

/// <summary>A regular expression of a relabel rule: RE2 syntax, matched against the whole text, in time linear in the text.</summary>
/// <remarks>
/// The dot matches a newline too. No expression can hang the program: it runs in .NET's non-backtracking engine.
/// <c>\b</c> is the one class that stays Unicode. Syntax: https://github.com/google/re2/wiki/Syntax
/// </remarks>
public sealed class Re2Regex
{
    private readonly Regex _regex;
    private readonly IReadOnlyDictionary<string, int> _names;

    /// <exception cref="FormatException">It is not RE2 syntax.</exception>
    public Re2Regex(string pattern)
    {
        Pattern = pattern;
        (var translated, _names) = Re2Translator.Translate(pattern);
        try
        {
            _regex = new Regex($@"\A(?s:{translated})\z", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (Exception cause) when (cause is ArgumentException or NotSupportedException)
        {
            throw new FormatException($"error parsing regexp: `{pattern}`: {cause.Message}", cause);
        }
    }

    /// <summary>As the user wrote it.</summary>
    public string Pattern { get; }

    public bool IsMatch(string text) => _regex.IsMatch(text);

    /// <summary>The match of the whole text; null when it does not match.</summary>
    public Match? Match(string text) => _regex.Match(text) is { Success: true } match ? match : null;

    /// <summary>Go's Expand: <c>$1</c>, <c>${1}</c>, <c>$name</c>, <c>${name}</c>, <c>$$</c>; a group that is not there is "".</summary>
    /// <remarks>A name is as long as it can be: <c>$1x</c> is the group named 1x, not group 1.</remarks>
    public string Expand(string template, Match match)
    {
        var text = new StringBuilder();
        for (var at = 0; at < template.Length;)
        {
            var dollar = template.IndexOf('$', at);
            if (dollar < 0)
            {
                return text.Append(template, at, template.Length - at).ToString();
            }

            text.Append(template, at, dollar - at);
            if (dollar + 1 < template.Length && template[dollar + 1] == '$')
            {
                text.Append('$');
                at = dollar + 2;
                continue;
            }

            var (name, length) = ReferenceName(template.AsSpan(dollar + 1));
            text.Append(length > 0 ? Group(match, name) : "$"); // a dollar that begins no reference stays
            at = dollar + 1 + length;
        }

        return text.ToString();
    }

    /// <summary>The name after a dollar and how much of the text it takes; 0 when there is none.</summary>
    private static (string Name, int Length) ReferenceName(ReadOnlySpan<char> text)
    {
        var braced = text.Length > 0 && text[0] == '{';
        var start = braced ? 1 : 0;
        var end = start;
        while (end < text.Length && (char.IsLetterOrDigit(text[end]) || text[end] == '_'))
        {
            end++;
        }

        if (end == start || (braced && (end >= text.Length || text[end] != '}')))
        {
            return ("", 0);
        }

        return (text[start..end].ToString(), braced ? end + 1 : end);
    }

    /// <summary>A number has no leading zero; with one, or with other letters, it is a name.</summary>
    private string Group(Match match, string name)
    {
        var isNumber = name.All(char.IsAsciiDigit) && name.Length <= 8 && (name.Length == 1 || name[0] != '0');
        var number = isNumber ? int.Parse(name, CultureInfo.InvariantCulture) : _names.GetValueOrDefault(name, -1);
        return number >= 0 && number < match.Groups.Count ? match.Groups[number].Value : "";
    }
}
