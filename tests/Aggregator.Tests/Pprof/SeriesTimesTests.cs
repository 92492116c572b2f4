using ActorProfiler.Aggregator.Pprof;
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
    public void Goes_on_after_what_an_earlier_start_took()
    {
        var times = new SeriesTimes();
        times.Restore(Samples.Web.Hash, 7);

        Assert.Equal(8_000_000, times.Take(Samples.Web, 5_000_000));
    }
}
