using ActorProfiler.Configuration.Relabeling;

namespace ActorProfiler.Aggregator.LocalStore;

/// <summary>One condition on one label; an absent label reads as "".</summary>
/// <param name="Negated">The label must not have the value, or not match the pattern.</param>
/// <param name="Pattern">Matches the whole value; null compares with <paramref name="Value"/>.</param>
internal sealed record LabelMatcher(string Name, string Value, bool Negated, Re2Regex? Pattern)
{
    public static LabelMatcher Equal(string name, string value) => new(name, value, Negated: false, Pattern: null);

    /// <param name="pattern">Takes bounded memory and linear time whatever it is: it comes from the request.</param>
    /// <exception cref="FormatException">The pattern is not a regular expression.</exception>
    public static LabelMatcher Match(string name, string pattern, bool negated) => new(name, pattern, negated, new Re2Regex(pattern));

    public bool Accepts(string value) => (Pattern?.IsMatch(value) ?? value == Value) != Negated;
}
