using System.Collections.Immutable;
using ActorProfiler.Configuration.Components;
using ActorProfiler.Configuration.Decoding;
using ActorProfiler.Configuration.Evaluation;
using ActorProfiler.Labels;

namespace ActorProfiler.Collector.Targets.Discovery;

/// <summary>What all discoveries have in common.</summary>
internal static class DiscoveryExports
{
    private const string Targets = "targets";

    private static readonly Value _none = Value.Of(Enumerable.Empty<Value>());

    /// <summary>Type of every <c>refresh_interval</c>.</summary>
    public static readonly ArgumentType<TimeSpan> Interval = ArgumentTypes.Duration(TimeSpan.FromSeconds(1), TimeSpan.FromDays(1));

    /// <summary>The type with <c>targets</c> as its export: none until the first search has ended.</summary>
    public static IComponentType Of<T>(ComponentType<T> type)
        where T : IDiscovery =>
        type.Exporting([Targets], (_, _, found) => new Dictionary<string, Value> { [Targets] = found ?? _none });

    public static Value Of(ImmutableArray<LabelSet> targets) => Value.Of(targets.Select(Value.Of));
}
