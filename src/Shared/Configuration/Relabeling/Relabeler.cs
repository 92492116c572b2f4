using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ActorProfiler.Labels;

namespace ActorProfiler.Configuration.Relabeling;

/// <summary>Applies relabel rules to label sets.</summary>
public static class Relabeler
{
    /// <summary>The labels after all rules, in order; null when a rule drops them.</summary>
    public static LabelSet? Apply(ImmutableArray<RelabelRule> rules, LabelSet labels)
    {
        foreach (var rule in rules)
        {
            if (Apply(rule, labels) is not { } changed)
            {
                return null;
            }

            labels = changed;
        }

        return labels;
    }

    private static LabelSet? Apply(RelabelRule rule, LabelSet labels)
    {
        var value = rule.SourceLabels switch
        {
            [] => "",
            [var only] => labels[only],
            _ => string.Join(rule.Separator, rule.SourceLabels.Select(name => labels[name])),
        };
        return rule.Action switch
        {
            RelabelAction.Keep => rule.Regex.IsMatch(value) ? labels : null,
            RelabelAction.Drop => rule.Regex.IsMatch(value) ? null : labels,
            RelabelAction.KeepEqual => labels[rule.TargetLabel] == value ? labels : null,
            RelabelAction.DropEqual => labels[rule.TargetLabel] == value ? null : labels,
            RelabelAction.Replace => Replace(rule, labels, value),
            RelabelAction.HashMod => labels.With(rule.TargetLabel, (Hash(value) % rule.Modulus).ToString(CultureInfo.InvariantCulture)),
            RelabelAction.Lowercase => labels.With(rule.TargetLabel, value.ToLowerInvariant()),
            RelabelAction.Uppercase => labels.With(rule.TargetLabel, value.ToUpperInvariant()),
            RelabelAction.LabelMap => LabelMap(rule, labels),
            RelabelAction.LabelDrop => labels.Where(name => !rule.Regex.IsMatch(name)),
            _ => labels.Where(rule.Regex.IsMatch),
        };
    }

    private static LabelSet Replace(RelabelRule rule, LabelSet labels, string value)
    {
        if (rule.Regex.Match(value) is not { } match)
        {
            return labels;
        }

        var target = rule.Regex.Expand(rule.TargetLabel, match);
        return RelabelRuleOptions.IsLabelName(target) ? labels.With(target, rule.Regex.Expand(rule.Replacement, match)) : labels;
    }

    private static LabelSet LabelMap(RelabelRule rule, LabelSet labels)
    {
        var mapped = labels;
        foreach (var (name, value) in labels)
        {
            if (rule.Regex.Match(name) is { } match && rule.Regex.Expand(rule.Replacement, match) is { Length: > 0 } target)
            {
                mapped = mapped.With(target, value);
            }
        }

        return mapped;
    }

    /// <summary>The last 8 bytes of the MD5 of the text, big endian: the same share of targets as Prometheus takes.</summary>
    private static ulong Hash(string text)
    {
#pragma warning disable CA5351 // not for security: the rule's definition names MD5
        var hash = MD5.HashData(Encoding.UTF8.GetBytes(text));
#pragma warning restore CA5351
        return BinaryPrimitives.ReadUInt64BigEndian(hash.AsSpan(8));
    }
}
