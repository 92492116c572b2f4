using ActorProfiler.Aggregator.Pprof;
using ActorProfiler.Labels;
using CsCheck;

namespace ActorProfiler.Tests;

public class SeriesTimesTests
{
    [Fact]
    public void Keeps_a_free_time_to_the_nanosecond() => Assert.Equal(5_000_123, new SeriesTimes().Take(Samples.Web, 5_000_123));

    [Fact]
    public void Two_owners_of_a_series_never_take_the_same_millisecond() =>
        Gen.Select(Gen.Int[0, 2], Gen.Long[Samples.Start, Samples.Start + 50_000_000]).Array.Sample(takes =>
        {
            var owners = Enumerable.Range(0, 3).Select(i => new SeriesTimes(i, 3)).ToArray();
            var taken = takes.Select(take => owners[take.Item1].Take(Samples.Web, take.Item2) / 1_000_000).ToList();
            return taken.Distinct().Count() == taken.Count;
        });

    [Fact]
    public void Series_that_become_one_at_a_destination_share_its_times_also_after_a_start()
    {
        static IEnumerable<LabelSet> WithoutPod(LabelSet series) => [series.Where(name => name != "pod")];
        var times = new SeriesTimes();
        times.ShareBetween(WithoutPod);
        var (one, two) = (Samples.Web.With("pod", "1"), Samples.Web.With("pod", "2"));

        Assert.Equal([5_000_000, 6_000_000, 7_000_000], new[] { one, two, Samples.Web }.Select(series => times.Take(series, 5_000_000)));

        var restarted = new SeriesTimes();
        restarted.ShareBetween(WithoutPod);
        foreach (var key in times.KeysOf(one))
        {
            restarted.Restore(key, 7);
        }

        Assert.Equal(8_000_000, restarted.Take(two, 5_000_000));
    }

    [Fact]
    public void Goes_on_after_what_an_earlier_start_took()
    {
        var times = new SeriesTimes();
        times.Restore(Samples.Web.Hash, 7);

        Assert.Equal(8_000_000, times.Take(Samples.Web, 5_000_000));
    }
}
