using System.Collections.Immutable;
using ActorProfiler.Configuration.Decoding;

namespace ActorProfiler.Collector.Targets.Discovery.Docker;

/// <summary>A <c>filter</c> block: the daemon lists only what has one of the values.</summary>
internal sealed record DockerFilter
{
    public static readonly BlockSchema<DockerFilter> Schema = new BlockSchema<DockerFilter>(() => new())
        .Required("name", ArgumentTypes.Text, (filter, value) => filter with { Name = value }, "What is filtered by, such as `label`.")
        .Required("values", ArgumentTypes.List(ArgumentTypes.Text), (filter, value) => filter with { Values = value }, "One of these.");

    public string Name { get; init; } = "";

    public ImmutableArray<string> Values { get; init; } = [];

    public static readonly IReadOnlyDictionary<string, IReadOnlyList<string>> None = new Dictionary<string, IReadOnlyList<string>>();

    public static IReadOnlyDictionary<string, IReadOnlyList<string>> AsQuery(ImmutableArray<DockerFilter> filters) =>
        filters.GroupBy(filter => filter.Name).ToDictionary(group => group.Key, group => (IReadOnlyList<string>)[.. group.SelectMany(filter => filter.Values)], StringComparer.Ordinal);
}
