using System.Collections.Immutable;
using ActorProfiler.Configuration.Components;
using ActorProfiler.Configuration.Decoding;

namespace ActorProfiler.Commands.Components;

/// <summary><c>pyroscope.aggregate</c>: merges the samples of a series over processes and hosts. Runs in the aggregator role.</summary>
internal sealed record AggregateComponent
{
    public static readonly TimeSpan DefaultWindow = TimeSpan.FromSeconds(15);

    public static readonly IComponentType Type = new ComponentType<AggregateComponent>(
        "pyroscope.aggregate",
        "Merges the samples of each series, from all processes and hosts, into one profile per window. Without this block, one with its defaults stands before every `pyroscope.write`.",
        new BlockSchema<AggregateComponent>(() => new(), LabelRule.Required)
            .Required("forward_to", Receiver.List, (options, value) => options with { ForwardTo = value }, "Receivers of the profiles; with none they are only shown on the page.")
            .Optional("window", ArgumentTypes.Duration(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10)), options => options.Window, (options, value) => options with { Window = value }, "How long samples of a series are merged."))
    {
        Most = 1,
    }
        .Exporting(Receiver.Exports, (id, options, _) => new AggregateReceiver(id, options.Window, options.ForwardTo).AsExport());

    public ImmutableArray<Receiver> ForwardTo { get; init; } = [];

    public TimeSpan Window { get; init; } = DefaultWindow;
}
