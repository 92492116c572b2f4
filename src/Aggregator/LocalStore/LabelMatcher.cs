using System.Text.RegularExpressions;

namespace ActorProfiler.Aggregator.LocalStore;

/// <summary>One condition on one label; an absent label reads as "".</summary>
/// <param name="Negated">The label must not have the value, or not match the pattern.</param>
/// <param name="Pattern">Matches the whole value; null compares with <paramref name="Value"/>.</param>
internal sealed record LabelMatcher(string Name, string Value, bool Negated, Regex? Pattern)
{
    public static LabelMatcher Equal(string name, string value) => new(name, value, Negated: false, Pattern: null);

    /// <param name="pattern">Runs in linear time whatever it is: it comes from the request.</param>
    /// <exception cref="FormatException">The pattern is not a regular expression.</exception>
    public static LabelMatcher Match(string name, string pattern, bool negated)
    {
        try
        {
            return new(name, pattern, negated, new Regex($"\\A(?:{pattern})\\z", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant));
        }
        catch (Exception cause) when (cause is ArgumentException or NotSupportedException)
        {
            throw new FormatException($"\"{pattern}\" is no regular expression: {cause.Message}", cause);
        }
    }

    public bool Accepts(string value) => (Pattern?.IsMatch(value) ?? value == Value) != Negated;
}
