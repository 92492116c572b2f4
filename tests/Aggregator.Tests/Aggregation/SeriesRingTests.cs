using ActorProfiler.Aggregator.Aggregation;
using Akka.Actor;

namespace ActorProfiler.Tests.Aggregation;

public class SeriesRingTests
{
    private static readonly Address[] _nodes = [.. Enumerable.Range(0, 4).Select(i => new Address("akka.tcp", "actorprofiler", $"agg-{i}", 4053))];

    [Fact]
    public void Spreads_series_evenly()
    {
        var counts = Series().CountBy(series => SeriesRing.Of(_nodes).Owner(series)!).ToDictionary();

        Assert.All(_nodes, node => Assert.InRange(counts[node], 2200, 2800));
    }

    [Fact]
    public void Moves_only_the_series_of_the_node_that_goes()
    {
        var (before, after) = (SeriesRing.Of(_nodes), SeriesRing.Of(_nodes[1..]));

        Assert.All(Series(), series => Assert.True(before.Owner(series)!.Equals(_nodes[0]) || before.Owner(series)!.Equals(after.Owner(series))));
    }

    [Fact]
    public void Does_not_depend_on_the_order_of_the_members() =>
        Assert.All(Series(), series => Assert.Equal(SeriesRing.Of(_nodes).Owner(series), SeriesRing.Of(_nodes.Reverse()).Owner(series)));

    [Fact]
    public void Has_no_owner_without_members() => Assert.Null(SeriesRing.Empty.Owner(1));

    private static IEnumerable<ulong> Series() =>
        Enumerable.Range(0, 10_000).Select(i => Samples.Web.With("n", $"{i}").Hash);
}
