using ActorProfiler.Configuration.Decoding;

namespace ActorProfiler.Configuration.Relabeling;

/// <summary>The <c>rule</c> block of every component that relabels.</summary>
public static class RelabelRuleSchema
{
    private static readonly ArgumentType<string> _regex = ArgumentTypes.Parsed("string", text => new Re2Regex(text).Pattern, text => text);

    private static readonly ArgumentType<string> _action = ArgumentTypes.Parsed("string", text => RelabelRuleOptions.ParseAction(text).ToString().ToLowerInvariant(), text => text);

    public static readonly BlockSchema<RelabelRuleOptions> Rule = new BlockSchema<RelabelRuleOptions>(() => new RelabelRuleOptions())
        .Optional("source_labels", ArgumentTypes.List(ArgumentTypes.Text), rule => rule.SourceLabels, (rule, value) => rule with { SourceLabels = value }, "Labels whose values are joined to the text the rule works on.")
        .Optional("separator", ArgumentTypes.Text, rule => rule.Separator, (rule, value) => rule with { Separator = value }, "Stands between the joined values.")
        .Optional("regex", _regex, rule => rule.Regex, (rule, value) => rule with { Regex = value }, "RE2 expression that must match the whole text.")
        .Optional("modulus", ArgumentTypes.Long(0), rule => (long)rule.Modulus, (rule, value) => rule with { Modulus = (ulong)value }, "Number of shares for `hashmod`.")
        .Optional("target_label", ArgumentTypes.Text, rule => rule.TargetLabel, (rule, value) => rule with { TargetLabel = value }, "Label the result is written to.")
        .Optional("replacement", ArgumentTypes.Text, rule => rule.Replacement, (rule, value) => rule with { Replacement = value }, "What is written; `$1` or `${1}` stands for a group of the expression.")
        .Optional("action", _action, rule => rule.Action, (rule, value) => rule with { Action = value }, "`replace`, `keep`, `drop`, `keepequal`, `dropequal`, `hashmod`, `lowercase`, `uppercase`, `labelmap`, `labeldrop` or `labelkeep`.")
        .Check(rule => rule.Build());
}
