using System.Collections.Immutable;
using ActorProfiler.Aggregator.Destinations;
using ActorProfiler.Commands.Components;
using ActorProfiler.Configuration.Relabeling;
using ActorProfiler.Labels;

namespace ActorProfiler.Commands.Configuration;

/// <summary>The ways of profiles from <c>pyroscope.ebpf</c> blocks to the endpoints of <c>pyroscope.write</c>, as the blocks are wired.</summary>
/// <remarks>
/// Rules that all profiles of a block pass first are applied on the host, so that series that become one are merged; rules on the way to
/// some endpoints are applied there. An endpoint that profiles reach by two ways with different rules gets them twice, as two destinations.
/// </remarks>
/// <param name="HostRules">For each block, in order: the rules applied on the host.</param>
/// <param name="HostRelabels">Ids of the <c>pyroscope.relabel</c> blocks those come from.</param>
/// <param name="NeedsOrigin">Blocks go different ways, so series must say which one they are of.</param>
internal sealed record Routing(
    ImmutableArray<ImmutableArray<RelabelRule>> HostRules, IReadOnlySet<string> HostRelabels, bool NeedsOrigin, ImmutableArray<PyroscopeWriteOptions> Destinations)
{
    /// <summary>One way of one block.</summary>
    private sealed record Way(int Source, string WriteId, int Index, PyroscopeWriteOptions Endpoint, ImmutableArray<RelabelRule> Rules);

    /// <param name="sources">The blocks: what tells their series apart, and where they forward to. One for profiles of unknown origin.</param>
    public static Routing Of(ImmutableArray<(string Origin, ImmutableArray<Receiver> ForwardTo)> sources)
    {
        var hostRules = ImmutableArray.CreateBuilder<ImmutableArray<RelabelRule>>();
        var hostRelabels = new HashSet<string>(StringComparer.Ordinal);
        var ways = new List<Way>();
        for (var i = 0; i < sources.Length; i++)
        {
            var (rules, next) = (ImmutableArray<RelabelRule>.Empty, sources[i].ForwardTo);
            while (next is [RelabelReceiver relabel])
            {
                hostRelabels.Add(relabel.Id);
                (rules, next) = (rules.AddRange(relabel.Rules), relabel.ForwardTo);
            }

            hostRules.Add(rules);
            Walk(i, next, [], ways);
        }

        var destinations = ways.GroupBy(way => way, SameWay.Comparer)
            .Select(group => (Way: group.Key, Sources: group.Select(way => way.Source).Distinct().ToList())).ToList();
        var needsOrigin = destinations.Exists(destination => destination.Sources.Count < sources.Length);
        return new Routing(
            hostRules.ToImmutable(),
            hostRelabels,
            needsOrigin,
            Named(destinations.Select(destination => destination.Way with
            {
                Rules = [.. needsOrigin ? From(destination.Sources.Select(source => sources[source].Origin)) : [], .. destination.Way.Rules],
            })));
    }

    /// <summary>The user's rules on the way of a series to a destination; null when its block sends nothing there.</summary>
    public static ImmutableArray<RelabelRule>? RulesTo(PyroscopeWriteOptions destination, LabelSet series)
    {
        var rules = destination.Routes.Single();
        return rules is not [{ SourceLabels: [LabelNames.Origin] } own, _, ..] ? rules
            : own.Regex.IsMatch(series[LabelNames.Origin]) ? rules[2..]
            : null;
    }

    private static void Walk(int source, ImmutableArray<Receiver> receivers, ImmutableArray<RelabelRule> rules, List<Way> ways)
    {
        foreach (var receiver in receivers)
        {
            switch (receiver)
            {
                case WriteReceiver write:
                    ways.AddRange(write.Endpoints.Select((endpoint, index) => new Way(source, write.Id, index, endpoint, rules)));
                    break;
                case RelabelReceiver relabel:
                    Walk(source, relabel.ForwardTo, rules.AddRange(relabel.Rules), ways);
                    break;
                case AggregateReceiver aggregate:
                    Walk(source, aggregate.ForwardTo, rules, ways);
                    break;
                default:
                    throw new InvalidOperationException($"no way through {receiver.GetType().Name}");
            }
        }
    }

    /// <summary>Keeps the series of these blocks, which may be of others too (<c>one,two</c>); what tells them apart is no concern of the user's rules.</summary>
    private static ImmutableArray<RelabelRule> From(IEnumerable<string> origins) =>
    [
        new RelabelRuleOptions { Action = "keep", SourceLabels = [LabelNames.Origin], Regex = $"(?:.*,)?(?:{string.Join('|', origins)})(?:,.*)?" }.Build(),
        new RelabelRuleOptions { Action = "labeldrop", Regex = LabelNames.Origin }.Build(),
    ];

    /// <summary>Each with a name of its own: endpoints with one URL and no name are told apart by their block, and numbered.</summary>
    private static ImmutableArray<PyroscopeWriteOptions> Named(IEnumerable<Way> ways)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var destinations = ImmutableArray.CreateBuilder<PyroscopeWriteOptions>();
        foreach (var way in ways)
        {
            var wanted = way.Endpoint.Name.Length > 0 ? way.Endpoint.Name : way.Endpoint.Endpoint;
            var name = names.Contains(wanted) ? $"{wanted} ({way.WriteId})" : wanted;
            for (var number = 2; !names.Add(name); number++)
            {
                name = $"{wanted} ({way.WriteId} {number})";
            }

            destinations.Add(way.Endpoint with { Name = name, Routes = [way.Rules] });
        }

        return destinations.ToImmutable();
    }

    /// <summary>To one endpoint by equal rules.</summary>
    private sealed class SameWay : IEqualityComparer<Way>
    {
        public static readonly SameWay Comparer = new();

        public bool Equals(Way? x, Way? y) =>
            x is not null && y is not null && (x.WriteId, x.Index) == (y.WriteId, y.Index) && x.Rules.AsSpan().SequenceEqual(y.Rules.AsSpan());

        public int GetHashCode(Way way) => HashCode.Combine(way.WriteId, way.Index);
    }
}
