using System.Collections.Immutable;
using ActorProfiler.Configuration.Components;
using ActorProfiler.Configuration.Decoding;
using ActorProfiler.Configuration.Evaluation;
using ActorProfiler.Configuration.Relabeling;
using ActorProfiler.Labels;

namespace ActorProfiler.Collector.Targets.Discovery;

/// <summary><c>discovery.relabel</c>: rewrites and drops targets by rules.</summary>
internal sealed record RelabelDiscovery
{
    public static readonly IComponentType Type = new ComponentType<RelabelDiscovery>(
        "discovery.relabel",
        "Applies relabel rules to targets, in order. Labels that start with `__` can be used in rules and are removed before profiles are sent.",
        new BlockSchema<RelabelDiscovery>(() => new(), LabelRule.Required)
            .Required("targets", ArgumentTypes.Targets, (options, value) => options with { Targets = value }, "What is relabeled.")
            .Blocks("rule", RelabelRuleSchema.Rule, (options, rules) => options with { Rules = [.. rules.Select(Build).OfType<RelabelRule>()] }, "A rule."))
        .Exporting(["output", "rules"], (_, options, _) => new Dictionary<string, Value>
        {
            ["output"] = DiscoveryExports.Of(options.Output()),
            ["rules"] = new CapsuleValue("RelabelRules", options.Rules),
        });

    public ImmutableArray<LabelSet> Targets { get; init; } = [];

    public ImmutableArray<RelabelRule> Rules { get; init; } = [];

    public ImmutableArray<LabelSet> Output() => [.. Targets.Select(target => Relabeler.Apply(Rules, target)).OfType<LabelSet>().Where(labels => labels.Count > 0)];

    /// <summary>Null when the rule is wrong, which its schema has reported.</summary>
    internal static RelabelRule? Build(RelabelRuleOptions rule)
    {
        try
        {
            return rule.Build();
        }
        catch (FormatException)
        {
            return null; // as promised above
        }
    }
}
