using System.Collections.Immutable;
using System.Text.RegularExpressions;
using ActorProfiler.Configuration.Syntax;

namespace ActorProfiler.Configuration.Relabeling;

/// <summary>The fields of a relabel rule as the user wrote them; defaults are those of Prometheus.</summary>
public sealed partial record RelabelRuleOptions
{
    public const string DefaultSeparator = ";";
    public const string DefaultRegex = "(.*)";
    public const string DefaultReplacement = "$1";

    private static readonly Dictionary<string, RelabelAction> _actions =
        Enum.GetValues<RelabelAction>().ToDictionary(action => action.ToString().ToLowerInvariant(), StringComparer.Ordinal);

    public ImmutableArray<string> SourceLabels { get; init; } = [];

    public string Separator { get; init; } = DefaultSeparator;

    public string Regex { get; init; } = DefaultRegex;

    public ulong Modulus { get; init; }

    public string TargetLabel { get; init; } = "";

    public string Replacement { get; init; } = DefaultReplacement;

    public string Action { get; init; } = "replace";

    /// <exception cref="FormatException">The fields do not fit each other; the message says which.</exception>
    public RelabelRule Build()
    {
        var action = ParseAction(Action);
        var regex = new Re2Regex(Regex);
        Check(action);
        return new RelabelRule(action, SourceLabels, Separator, regex, Modulus, TargetLabel, Replacement);
    }

    /// <summary>Whether it is a label name: letters, digits and underscores, no digit first.</summary>
    public static bool IsLabelName(string text) => LabelName().IsMatch(text);

    /// <exception cref="FormatException">There is no such action.</exception>
    public static RelabelAction ParseAction(string text)
    {
        if (text.Length == 0)
        {
            throw new FormatException("relabel action cannot be empty");
        }

        return _actions.TryGetValue(text.ToLowerInvariant(), out var action)
            ? action
            : throw new FormatException($"unrecognized action type {StringText.Quote(text)}{Spelling.DidYouMean(text, _actions.Keys)}");
    }

    private void Check(RelabelAction action)
    {
        var name = action.ToString().ToLowerInvariant();
        if (action == RelabelAction.HashMod && Modulus == 0)
        {
            throw new FormatException("relabel configuration for hashmod requires non-zero modulus");
        }

        var needsTarget = action is RelabelAction.Replace or RelabelAction.HashMod or RelabelAction.Lowercase or RelabelAction.Uppercase or RelabelAction.KeepEqual or RelabelAction.DropEqual;
        if (needsTarget && TargetLabel.Length == 0)
        {
            throw new FormatException($"relabel configuration for {name} action requires 'target_label' value");
        }

        var isTemplate = action == RelabelAction.Replace;
        if (needsTarget && !(isTemplate ? TargetTemplate().IsMatch(TargetLabel) : IsLabelName(TargetLabel)))
        {
            throw new FormatException($"{StringText.Quote(TargetLabel)} is invalid 'target_label' for {name} action");
        }

        CheckUnused(action, name);
    }

    private void CheckUnused(RelabelAction action, string name)
    {
        if (action is RelabelAction.Lowercase or RelabelAction.Uppercase or RelabelAction.KeepEqual or RelabelAction.DropEqual && Replacement != DefaultReplacement)
        {
            throw new FormatException($"'replacement' can not be set for {name} action");
        }

        if (action == RelabelAction.LabelMap && !TargetTemplate().IsMatch(Replacement))
        {
            throw new FormatException($"{StringText.Quote(Replacement)} is invalid 'replacement' for labelmap action");
        }

        var isPlain = Modulus == 0 && Separator == DefaultSeparator && Replacement == DefaultReplacement;
        if (action is RelabelAction.LabelDrop or RelabelAction.LabelKeep && !(isPlain && SourceLabels.IsEmpty && TargetLabel.Length == 0))
        {
            throw new FormatException($"{name} action requires only 'regex', and no other fields");
        }

        if (action is RelabelAction.KeepEqual or RelabelAction.DropEqual && !(isPlain && Regex == DefaultRegex))
        {
            throw new FormatException($"{name} action requires only 'source_labels' and 'target_label', and no other fields");
        }
    }

    [GeneratedRegex(@"\A[a-zA-Z_][a-zA-Z0-9_]*\z")]
    private static partial Regex LabelName();

    /// <summary>A label name with references in it.</summary>
    [GeneratedRegex(@"\A(?:(?:[a-zA-Z_]|\$(?:\{[0-9A-Za-z_]+\}|[0-9A-Za-z_]+))+[0-9A-Za-z_]*)+\z", RegexOptions.NonBacktracking)]
    private static partial Regex TargetTemplate();
}
