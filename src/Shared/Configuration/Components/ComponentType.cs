using System.Collections.Immutable;
using ActorProfiler.Configuration.Decoding;
using ActorProfiler.Configuration.Evaluation;
using ActorProfiler.Configuration.Syntax;

namespace ActorProfiler.Configuration.Components;

/// <summary>A kind of block whose arguments are a schema.</summary>
/// <typeparam name="T">Its options.</typeparam>
public sealed class ComponentType<T>(string name, string summary, BlockSchema<T> schema) : IComponentType
    where T : notnull
{
    private readonly Func<string, T, Value?, IReadOnlyDictionary<string, Value>> _export = (_, _, _) => ImmutableDictionary<string, Value>.Empty;

    public string Name => name;

    public string Summary => summary;

    public LabelRule Label => schema.Label;

    public int Most { get; init; } = int.MaxValue;

    public ImmutableArray<string> ExportNames { get; private init; } = [];

    /// <summary>This kind with exports.</summary>
    /// <param name="names">All that <paramref name="export"/> gives.</param>
    /// <param name="export">From the block's id, its options, and what the running component found last.</param>
    public ComponentType<T> Exporting(ImmutableArray<string> names, Func<string, T, Value?, IReadOnlyDictionary<string, Value>> export) =>
        new(name, summary, schema, names, export) { Most = Most };

    public IEnumerable<ArgumentDescription> Describe() => schema.Describe();

    public object Decode(BlockStatement block, DecodeContext context) => schema.Decode(block, context);

    public ObjectValue Export(string id, object options, Value? last) => (ObjectValue)Value.Of(_export(id, (T)options, last));

    private ComponentType(
        string name, string summary, BlockSchema<T> schema, ImmutableArray<string> names, Func<string, T, Value?, IReadOnlyDictionary<string, Value>> export)
        : this(name, summary, schema) => (ExportNames, _export) = (names, export);
}
