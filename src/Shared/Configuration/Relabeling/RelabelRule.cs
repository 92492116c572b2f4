using System.Collections.Immutable;

namespace ActorProfiler.Configuration.Relabeling;

/// <summary>One relabel rule, as Prometheus and Alloy define it.</summary>
/// <remarks>
/// https://grafana.com/docs/alloy/latest/reference/components/discovery/discovery.relabel/#rule — build it with <see cref="RelabelRuleOptions"/>,
/// which checks that the fields fit the action.
/// </remarks>
public sealed record RelabelRule(
    RelabelAction Action, ImmutableArray<string> SourceLabels, string Separator, Re2Regex Regex, ulong Modulus, string TargetLabel, string Replacement)
{
    /// <summary>Equal when they are written alike.</summary>
    public bool Equals(RelabelRule? other) =>
        other is not null && Action == other.Action && SourceLabels.AsSpan().SequenceEqual(other.SourceLabels.AsSpan()) && Separator == other.Separator
        && Regex.Pattern == other.Regex.Pattern && Modulus == other.Modulus && TargetLabel == other.TargetLabel && Replacement == other.Replacement;

    public override int GetHashCode() => HashCode.Combine(Action, Regex.Pattern, Modulus, TargetLabel, Replacement);
}

public enum RelabelAction
{
    Replace,
    Keep,
    Drop,
    KeepEqual,
    DropEqual,
    HashMod,
    Lowercase,
    Uppercase,
    LabelMap,
    LabelDrop,
    LabelKeep,
}
