using System.Collections.Immutable;
using ActorProfiler.Configuration.Evaluation;

namespace ActorProfiler.Configuration.Components;

/// <summary>A block with its values.</summary>
/// <param name="Options">What its type decoded: the same object as long as nothing in it has changed.</param>
/// <param name="Inputs">Exports of the blocks it depends on, with which the options were decoded.</param>
/// <param name="Found">What the running component found last, which the exports hold; null before.</param>
/// <param name="Problem">Why the options could not be decoded anew and are older than the inputs; "" when they are not.</param>
public sealed record ComponentState(ComponentNode Node, object Options, ObjectValue Exports, ImmutableDictionary<string, ObjectValue> Inputs, Value? Found = null, string Problem = "")
{
    public string Id => Node.Id;
}
