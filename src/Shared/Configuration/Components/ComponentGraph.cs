using System.Collections.Immutable;
using ActorProfiler.Configuration.Decoding;
using ActorProfiler.Configuration.Evaluation;
using ActorProfiler.Configuration.Syntax;

namespace ActorProfiler.Configuration.Components;

/// <summary>The blocks of a configuration file and which uses the exports of which: checked, without cycles.</summary>
public sealed class ComponentGraph
{
    private ComponentGraph(SourceFile file, Scope library, ImmutableArray<ComponentNode> nodes) => (File, Library, Nodes) = (file, library, nodes);

    public SourceFile File { get; }

    /// <summary>Functions and constants that expressions can use.</summary>
    public Scope Library { get; }

    /// <summary>A block comes after all it depends on.</summary>
    public ImmutableArray<ComponentNode> Nodes { get; }

    /// <summary>Parses a file and checks names, labels and references. What comes back is only whole when <paramref name="diagnostics"/> has got no error.</summary>
    public static ComponentGraph Load(SourceFile file, IReadOnlyCollection<IComponentType> types, Scope library, Diagnostics diagnostics)
    {
        var body = Parser.Parse(file, diagnostics);
        if (diagnostics.HasErrors)
        {
            return new ComponentGraph(file, library, []);
        }

        var blocks = Blocks(file, body, types, diagnostics);
        var nodes = blocks.Values.Select(pair => Connect(file, pair.Type, pair.Block, blocks, library, diagnostics)).ToList();
        return new ComponentGraph(file, library, Order(file, nodes, diagnostics));
    }

    private static Dictionary<string, (IComponentType Type, BlockStatement Block)> Blocks(
        SourceFile file, Body body, IReadOnlyCollection<IComponentType> types, Diagnostics diagnostics)
    {
        var blocks = new Dictionary<string, (IComponentType Type, BlockStatement Block)>(StringComparer.Ordinal);
        foreach (var statement in body.Statements)
        {
            if (statement is not BlockStatement block)
            {
                var name = ((AttributeStatement)statement).Name;
                diagnostics.Error(file, name.Span, $"unrecognized attribute name \"{name.Name}\"; a file holds blocks");
            }
            else if (types.FirstOrDefault(type => type.Name == block.Name) is not { } type)
            {
                diagnostics.Error(file, block.Header, $"unrecognized block name \"{block.Name}\"{Spelling.DidYouMean(block.Name, types.Select(known => known.Name))}");
            }
            else if (blocks.TryGetValue(block.Id, out var first))
            {
                diagnostics.Error(file, block.Header, $"block \"{block.Id}\" is declared twice; the first is at {At(file, first.Block)}");
            }
            else if (blocks.Values.Where(known => known.Type == type).ToList() is var same && same.Count >= type.Most)
            {
                diagnostics.Error(file, block.Header, $"block \"{block.Name}\" may be specified {(type.Most == 1 ? "only once" : $"at most {type.Most} times")}; the first is at {At(file, same[0].Block)}");
            }
            else
            {
                blocks.Add(block.Id, (type, block));
            }
        }

        return blocks;
    }

    private static string At(SourceFile file, BlockStatement block) => $"{file.Name}:{file.PositionOf(block.Header.Start).Line}";

    private static ComponentNode Connect(
        SourceFile file,
        IComponentType type,
        BlockStatement block,
        Dictionary<string, (IComponentType Type, BlockStatement Block)> blocks,
        Scope library,
        Diagnostics diagnostics)
    {
        var uses = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var reference in References.In(block.Body))
        {
            if (Target(reference, blocks) is not { } id)
            {
                if (library.Find(reference.Parts[0].Name) is null)
                {
                    diagnostics.Error(file, reference.Span, Missing(reference, blocks.Keys, library));
                }
            }
            else if (CheckExport(reference, id, blocks[id].Type) is { } problem)
            {
                diagnostics.Error(file, reference.Span, problem);
            }
            else
            {
                uses.Add(id);
            }
        }

        return new ComponentNode(type, block, [.. uses], file.Text[block.Span.Start..block.Span.End]);
    }

    private static string? Target(Reference reference, Dictionary<string, (IComponentType Type, BlockStatement Block)> blocks) =>
        Enumerable.Range(1, reference.Parts.Count).Select(count => string.Join('.', reference.Parts.Take(count).Select(part => part.Name))).FirstOrDefault(blocks.ContainsKey);

    private static string? CheckExport(Reference reference, string id, IComponentType type)
    {
        var name = reference.Parts.ElementAtOrDefault(id.Split('.').Length)?.Name;
        if (name is null)
        {
            return type.ExportNames.IsEmpty ? $"\"{id}\" exports nothing" : $"\"{id}\" is a block; use one of its exports: {string.Join(", ", type.ExportNames.Select(export => $"{id}.{export}"))}";
        }

        return type.ExportNames.Contains(name) ? null : $"\"{id}\" has no export \"{name}\"{Spelling.DidYouMean(name, type.ExportNames)}";
    }

    private static string Missing(Reference reference, IReadOnlyCollection<string> ids, Scope library)
    {
        var name = reference.Parts[0].Name;
        if (reference.Parts.Count < 3)
        {
            return $"identifier \"{reference.Text}\" does not exist{Spelling.DidYouMean(reference.Text, ids.Concat(library.Names))}";
        }

        var id = string.Join('.', reference.Parts.Take(3).Select(part => part.Name));
        return $"component \"{id}\" does not exist{Spelling.DidYouMean(id, ids)}";
    }

    /// <summary>Depth first; a way back to a block on the path is a cycle.</summary>
    private static ImmutableArray<ComponentNode> Order(SourceFile file, List<ComponentNode> nodes, Diagnostics diagnostics)
    {
        var byId = nodes.ToDictionary(node => node.Id, StringComparer.Ordinal);
        var ordered = ImmutableArray.CreateBuilder<ComponentNode>(nodes.Count);
        var finished = new HashSet<string>(StringComparer.Ordinal);
        var path = new List<string>();
        nodes.ForEach(Visit);
        return ordered.ToImmutable();

        void Visit(ComponentNode node)
        {
            if (finished.Contains(node.Id))
            {
                return;
            }

            if (path.IndexOf(node.Id) is >= 0 and var start)
            {
                diagnostics.Error(file, node.Block.Header, $"cycle: {string.Join(" uses ", path.Skip(start).Append(node.Id))}");
                return;
            }

            path.Add(node.Id);
            foreach (var id in node.DependsOn)
            {
                Visit(byId[id]);
            }

            path.RemoveAt(path.Count - 1);
            finished.Add(node.Id);
            ordered.Add(node);
        }
    }
}
