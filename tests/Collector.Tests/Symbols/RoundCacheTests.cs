using ActorProfiler.Collector.Symbols;

namespace ActorProfiler.Tests.Symbols;

public class RoundCacheTests
{
    private readonly List<string> _evicted = [];

    private RoundCache<int, string> Create(int size, int rounds) => new(size, rounds, _evicted.Add);

    [Fact]
    public void Keeps_what_was_used_in_the_last_rounds_however_full_it_is()
    {
        var cache = Create(size: 1, rounds: 3);
        cache.Set(1, "one");
        cache.Set(2, "two");
        cache.Set(3, "three");

        for (var round = 0; round < 3; round++)
        {
            cache.EndRound();
            Assert.True(cache.TryGet(3, out _));
        }

        Assert.Empty(_evicted);
        cache.EndRound();
        Assert.Equal(["one", "two"], _evicted);
        Assert.Equal(1, cache.Count);
    }

    [Fact]
    public void Keeps_as_many_unused_entries_as_it_has_places()
    {
        var cache = Create(size: 2, rounds: 0);
        cache.Set(1, "one");
        cache.Set(2, "two");
        cache.EndRound();
        cache.EndRound();
        Assert.Equal(2, cache.Count);

        cache.Size = 1;
        cache.TryGet(1, out _);
        cache.EndRound();

        Assert.Equal(["two"], _evicted);
    }

    [Fact]
    public void Tells_about_a_replaced_value()
    {
        var cache = Create(size: 2, rounds: 0);
        cache.Set(1, "one");
        cache.Set(1, "uno");

        Assert.Equal(["one"], _evicted);
        Assert.True(cache.TryGet(1, out var value) && value == "uno");
    }
}
