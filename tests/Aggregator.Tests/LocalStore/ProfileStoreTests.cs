using ActorProfiler.Aggregator.LocalStore;
using ActorProfiler.Aggregator.Pprof;
using Microsoft.Extensions.Time.Testing;

namespace ActorProfiler.Tests.LocalStore;

public sealed class ProfileStoreTests
{
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero));

    [Fact]
    public void Drops_a_profile_an_hour_after_its_window_ended_and_counts_it()
    {
        var store = Store();
        store.Add(Profile("a", secondsAgo: 15));

        _clock.Advance(TimeSpan.FromMinutes(60));
        Assert.Equal(1, store.State().Profiles);

        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal((0, 1L, 0L), (store.State().Profiles, store.State().DroppedByAge, store.State().Bytes));
    }

    [Fact]
    public void Drops_the_oldest_window_first_when_the_bytes_are_used_up_even_when_it_came_last()
    {
        var one = Profile("a", secondsAgo: 30);
        var bytes = one.Pprof.Length + 512;
        var store = Store(maxBytes: 2 * bytes + 10);
        store.Add(one);
        store.Add(Profile("b", secondsAgo: 15));
        store.Add(Profile("c", secondsAgo: 45));

        Assert.Equal(["a", "b"], store.Services(TimeRange.All).Select(service => service.Name).Order());
        Assert.Equal(1, store.State().DroppedByBytes);
    }

    [Fact]
    public void Does_not_keep_a_profile_larger_than_all_it_may_hold()
    {
        var store = Store(maxBytes: 100);
        store.Add(Profile("a", secondsAgo: 15));

        Assert.Equal((0, 1L), (store.State().Profiles, store.State().DroppedByBytes));
    }

    [Fact]
    public void Names_services_by_their_CPU_time_in_the_range()
    {
        var store = Store();
        store.Add(Profile("small", secondsAgo: 60, "main 1"));
        store.Add(Profile("large", secondsAgo: 60, "main 200"));
        store.Add(Profile("older", secondsAgo: 900, "main 5"));

        Assert.Equal([new ServiceShare("large", 2.0, 1), new ServiceShare("small", 0.01, 1)], store.Services(TimeRange.Last(TimeSpan.FromMinutes(5), _clock)));
    }

    [Fact]
    public void Merges_only_the_series_and_windows_that_are_asked_for()
    {
        var store = Store();
        store.Add(Profile("a", secondsAgo: 30, "main;work 3"));
        store.Add(Profile("a", secondsAgo: 60, "main;work 4", "main;rest 1"));
        store.Add(Profile("b", secondsAgo: 30, "main;work 100"));
        store.Add(Profile("a", secondsAgo: 1000, "main;work 100"));

        var graph = store.Query(ProfileSelector.Service("a"), TimeRange.Last(TimeSpan.FromMinutes(5), _clock));

        Assert.Equal(["all", "all;main", "all;main;rest", "all;main;work"], FlameGraphBuilderTests.Paths(graph));
        Assert.Equal([0, 0, 1 * FoldedProfile.Period, 7 * FoldedProfile.Period], graph.SelfNanos);
        Assert.Equal((2, 1, 60_000_000_000 - 15_000_000_000), (graph.Profiles, graph.Series, graph.UntilNanos - graph.FromNanos));
    }

    [Fact]
    public void Leaves_out_a_profile_that_cannot_be_read_and_says_so()
    {
        var store = Store();
        store.Add(Profile("a", secondsAgo: 30, "main 3"));
        store.Add(Profile("a", secondsAgo: 15) with { Pprof = new byte[] { 1, 2, 3 } });

        var graph = store.Query(ProfileSelector.All, TimeRange.All);

        Assert.Equal((1, 1, 3 * FoldedProfile.Period), (graph.Profiles, graph.Unreadable, graph.TotalNanos));
    }

    [Fact]
    public void Downloads_the_merged_profile_with_the_time_it_covers()
    {
        var store = Store();
        store.Add(Profile("a", secondsAgo: 30, "app!main;app!work 3"));
        store.Add(Profile("a", secondsAgo: 45, "app!main;app!work 4", "app!main;lib!rest 1"));

        var merged = PprofPayload.Open(store.Pprof(ProfileSelector.Service("a"), TimeRange.All)!);

        Assert.Equal([[7L, 7 * FoldedProfile.Period], [1L, FoldedProfile.Period]], merged.Sample.Select(sample => sample.Value.ToArray()).OrderByDescending(value => value[0]));
        Assert.Equal((3, 2, 30_000_000_000L), (merged.Location.Count, merged.Mapping.Count, merged.DurationNanos));
        Assert.Null(store.Pprof(ProfileSelector.Service("nobody"), TimeRange.All));
    }

    [Fact]
    public void Takes_profiles_while_it_is_read()
    {
        var store = Store();
        Parallel.For(0, 400, i =>
        {
            store.Add(Profile($"service-{i % 4}", secondsAgo: i));
            store.Query(ProfileSelector.Service($"service-{i % 4}"), TimeRange.All);
        });

        Assert.Equal(400, store.Services(TimeRange.All).Sum(service => service.Profiles));
    }

    private ProfileStore Store(long maxBytes = 64 << 20) => new(new ProfileStoreOptions(TimeSpan.FromHours(1), maxBytes), _clock);

    private EncodedProfile Profile(string service, int secondsAgo, params string[] lines) =>
        FoldedProfile.Encoded(service, _clock.GetUtcNow().AddSeconds(-secondsAgo), lines.Length > 0 ? lines : ["main 1"]);
}
