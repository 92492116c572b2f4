using System.Collections.Immutable;
using ActorProfiler.Configuration.Components;
using ActorProfiler.Configuration.Decoding;
using ActorProfiler.Configuration.Evaluation;
using ActorProfiler.Configuration.Relabeling;

namespace ActorProfiler.Commands.Components;

/// <summary><c>pyroscope.relabel</c>: rewrites and drops profiles by the labels of their series.</summary>
internal sealed record RelabelComponent
{
    public static readonly IComponentType Type = new ComponentType<RelabelComponent>(
        "pyroscope.relabel",
        "Applies relabel rules to the labels of profiles and forwards those that are kept.",
        new BlockSchema<RelabelComponent>(() => new(), LabelRule.Required)
            .Required("forward_to", Receiver.List, (options, value) => options with { ForwardTo = value }, "Receivers of the profiles.")
            .Ignored("max_cache_size", ArgumentTypes.Integer(), "rules are applied once for each series")
            .Blocks("rule", RelabelRuleSchema.Rule, (options, rules) => options with { Written = [.. rules] }, "A rule."))
        .Exporting(["receiver", "rules"], (id, options, _) => new RelabelReceiver(id, options.Rules, options.ForwardTo).AsExport()
            .Append(KeyValuePair.Create("rules", (Value)new CapsuleValue("RelabelRules", options.Rules))).ToDictionary());

    public ImmutableArray<Receiver> ForwardTo { get; init; } = [];

    public ImmutableArray<RelabelRuleOptions> Written { get; init; } = [];

    public ImmutableArray<RelabelRule> Rules => [.. Written.Select(rule => rule.Build())];
}
