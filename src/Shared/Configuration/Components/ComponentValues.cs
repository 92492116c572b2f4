using System.Collections.Immutable;
using ActorProfiler.Configuration.Decoding;
using ActorProfiler.Configuration.Evaluation;
using ActorProfiler.Configuration.Syntax;

namespace ActorProfiler.Configuration.Components;

/// <summary>The options and exports of all blocks of a graph. Immutable.</summary>
public sealed class ComponentValues
{
    public static readonly ComponentValues None = new([], ImmutableDictionary<string, Value>.Empty);

    private readonly ImmutableDictionary<string, Value> _found;

    private ComponentValues(ImmutableArray<ComponentState> states, ImmutableDictionary<string, Value> found) => (States, _found) = (states, found);

    /// <summary>In the order of the graph.</summary>
    public ImmutableArray<ComponentState> States { get; }

    /// <summary>A block of the graph; null when there is none of this id.</summary>
    public ComponentState? Find(string id) => States.FirstOrDefault(state => state.Id == id);

    /// <summary>The options of all blocks of one type, with the blocks' ids.</summary>
    public IEnumerable<(ComponentState State, T Options)> Of<T>() => States.Where(state => state.Options is T).Select(state => (state, (T)state.Options));

    /// <summary>The values of another file. Blocks whose text and inputs are as before keep their options; running ones keep what they found.</summary>
    /// <returns>Only to be used when <paramref name="diagnostics"/> has got no error.</returns>
    public ComponentValues Load(ComponentGraph graph, Diagnostics diagnostics)
    {
        var found = _found.Where(pair => graph.Nodes.Any(node => node.Id == pair.Key)).ToImmutableDictionary(StringComparer.Ordinal);
        return new ComponentValues(Evaluate(graph, found, diagnostics, keepsLast: false), found);
    }

    /// <summary>The values after a running component has found something else. A block that cannot take it keeps what it had and says why.</summary>
    public ComponentValues Found(ComponentGraph graph, string id, Value found)
    {
        var all = _found.SetItem(id, found);
        return new ComponentValues(Evaluate(graph, all, new Diagnostics(), keepsLast: true), all);
    }

    private ImmutableArray<ComponentState> Evaluate(ComponentGraph graph, ImmutableDictionary<string, Value> found, Diagnostics diagnostics, bool keepsLast)
    {
        var known = States.ToDictionary(state => state.Id, StringComparer.Ordinal);
        var exports = new Dictionary<string, ObjectValue>(StringComparer.Ordinal);
        var states = ImmutableArray.CreateBuilder<ComponentState>(graph.Nodes.Length);
        foreach (var node in graph.Nodes)
        {
            // A block that failed is missing here.
            if (!node.DependsOn.All(exports.ContainsKey))
            {
                ReportRest(graph, node, diagnostics);
                continue;
            }

            var inputs = node.DependsOn.ToImmutableDictionary(id => id, id => exports[id], StringComparer.Ordinal);
            var scratch = keepsLast ? new Diagnostics() : diagnostics;
            if (Evaluate(graph, node, known.GetValueOrDefault(node.Id), inputs, found.GetValueOrDefault(node.Id), scratch) is { } state)
            {
                states.Add(state);
                exports.Add(node.Id, state.Exports);
            }
        }

        return states.ToImmutable();
    }

    private static ComponentState? Evaluate(
        ComponentGraph graph, ComponentNode node, ComponentState? last, ImmutableDictionary<string, ObjectValue> inputs, Value? found, Diagnostics diagnostics)
    {
        var isSame = last is { Problem.Length: 0 } && last.Node.Text == node.Text && last.Node.Type == node.Type && AreEqual(last.Inputs, inputs);
        if (isSame)
        {
            return ReferenceEquals(last!.Found, found) ? last with { Node = node } : WithExports(last with { Node = node }, found);
        }

        var context = new DecodeContext(graph.File, ScopeOf(inputs, graph.Library), diagnostics);
        var options = node.Type.Decode(node.Block, context);
        if (context.ErrorCount == 0)
        {
            return WithExports(new ComponentState(node, options, (ObjectValue)Value.Of(Enumerable.Empty<KeyValuePair<string, Value>>()), inputs), found);
        }

        // Of another file nothing is kept: it is refused as a whole.
        return last is null || !ReferenceEquals(last.Node, node) ? null : last with { Problem = diagnostics.All.FirstOrDefault(problem => problem.Severity == Severity.Error)?.ToString() ?? "" };
    }

    /// <summary>The errors of a block that depends on one that failed: those in values which have nothing to do with other blocks.</summary>
    private static void ReportRest(ComponentGraph graph, ComponentNode node, Diagnostics diagnostics)
    {
        var dependent = Dependent(node.Block.Body, graph.Library).ToList();
        var scratch = new Diagnostics();
        node.Type.Decode(node.Block, new DecodeContext(graph.File, graph.Library, scratch));
        foreach (var problem in scratch.All.Where(problem => problem.Severity == Severity.Error && !dependent.Exists(span => span.Start <= problem.Span.Start && problem.Span.Start < span.End)))
        {
            diagnostics.Error(graph.File, problem.Span, problem.Message);
        }
    }

    private static IEnumerable<Span> Dependent(Body body, Scope library) => body.Statements.SelectMany(statement => statement switch
    {
        AttributeStatement attribute when References.In(attribute.Value).Any(reference => library.Find(reference.Parts[0].Name) is null) => [attribute.Span],
        BlockStatement block => Dependent(block.Body, library),
        _ => [],
    });

    /// <summary>Exports that are equal stay the same object, so that what uses them is left alone.</summary>
    private static ComponentState WithExports(ComponentState state, Value? found)
    {
        var exports = state.Node.Type.Export(state.Id, state.Options, found);
        return state with { Exports = Value.AreEqual(exports, state.Exports) ? state.Exports : exports, Found = found };
    }

    private static bool AreEqual(ImmutableDictionary<string, ObjectValue> left, ImmutableDictionary<string, ObjectValue> right) =>
        left.Count == right.Count && left.All(pair => right.TryGetValue(pair.Key, out var value) && (ReferenceEquals(pair.Value, value) || Value.AreEqual(pair.Value, value)));

    /// <summary>Exports under the names that expressions use: <c>discovery.process.all.targets</c> is a field of fields.</summary>
    private static Scope ScopeOf(ImmutableDictionary<string, ObjectValue> exports, Scope library)
    {
        var root = new Dictionary<string, Value>(StringComparer.Ordinal);
        foreach (var (id, value) in exports)
        {
            var parts = id.Split('.');
            root[parts[0]] = Put(root.GetValueOrDefault(parts[0]), parts.AsSpan(1), value);
        }

        return new Scope(root, library);
    }

    private static ObjectValue Put(Value? at, ReadOnlySpan<string> path, ObjectValue value)
    {
        if (path.IsEmpty)
        {
            return value;
        }

        var fields = (at as ObjectValue)?.Fields ?? ImmutableSortedDictionary.Create<string, Value>(StringComparer.Ordinal);
        return new ObjectValue(fields.SetItem(path[0], Put(fields.GetValueOrDefault(path[0]), path[1..], value)));
    }
}
