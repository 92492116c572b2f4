using System.Collections.Immutable;
using ActorProfiler.Configuration.Syntax;

namespace ActorProfiler.Configuration.Components;

/// <summary>A block of a file as a node of the graph.</summary>
/// <param name="DependsOn">Ids of the blocks whose exports it uses.</param>
/// <param name="Text">The block as written: with the same text and the same inputs its options are the same.</param>
public sealed record ComponentNode(IComponentType Type, BlockStatement Block, ImmutableArray<string> DependsOn, string Text)
{
    public string Id => Block.Id;
}
