using System.Collections.Immutable;
using ActorProfiler.Aggregator.Destinations;
using ActorProfiler.Configuration.Decoding;
using ActorProfiler.Configuration.Evaluation;
using ActorProfiler.Configuration.Relabeling;

namespace ActorProfiler.Commands.Components;

/// <summary>Where profiles can be forwarded to: what a <c>receiver</c> export stands for. A tree that ends in <c>pyroscope.write</c>.</summary>
/// <param name="Id">Of the block that exports it.</param>
internal abstract record Receiver(string Id)
{
    private const string Kind = "ProfilesReceiver";
    private const string Export = "receiver";

    public static readonly ArgumentType<ImmutableArray<Receiver>> List = ArgumentTypes.List(ArgumentTypes.Capsule<Receiver>(Kind));

    public static readonly ImmutableArray<string> Exports = [Export];

    public Dictionary<string, Value> AsExport() => new() { [Export] = new CapsuleValue(Kind, this) };
}

/// <summary>The end of a way.</summary>
internal sealed record WriteReceiver(string Id, ImmutableArray<PyroscopeWriteOptions> Endpoints) : Receiver(Id);

internal sealed record RelabelReceiver(string Id, ImmutableArray<RelabelRule> Rules, ImmutableArray<Receiver> ForwardTo) : Receiver(Id);

/// <param name="Window">How long the samples of a series are merged.</param>
internal sealed record AggregateReceiver(string Id, TimeSpan Window, ImmutableArray<Receiver> ForwardTo) : Receiver(Id);
