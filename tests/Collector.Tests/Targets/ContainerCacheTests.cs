using ActorProfiler.Collector.Processes;
using ActorProfiler.Collector.Sampling;
using ActorProfiler.Collector.Targets;

namespace ActorProfiler.Tests.Targets;

public class ContainerCacheTests
{
    private readonly ContainerCache _cache = new();
    private readonly List<int> _read = [];

    [Fact]
    public void Gives_up_the_processes_that_were_sampled_longest_ago_beyond_its_size()
    {
        _cache.SetBounds(new ContainerCache.Bounds(Size: 2, Rounds: 1));
        Get(isSampled: true, 1, 2, 3);
        _cache.EndRound();
        Get(isSampled: true, 2, 3);
        _cache.EndRound();
        _cache.EndRound();
        Assert.Equal(2, _cache.Count);

        _read.Clear();
        Get(isSampled: false, 2, 3, 1);
        Assert.Equal([1], _read);
    }

    [Fact]
    public void Keeps_what_was_sampled_lately_however_many_they_are()
    {
        _cache.SetBounds(new ContainerCache.Bounds(Size: 1, Rounds: 3));
        Get(isSampled: true, 1, 2, 3);
        for (var round = 0; round < 10; round++)
        {
            _cache.EndRound();
            Get(isSampled: true, 1, 2, 3);
        }

        Assert.Equal([1, 2, 3], _read);
    }

    [Fact]
    public void Does_not_keep_a_process_for_questions_alone()
    {
        _cache.SetBounds(new ContainerCache.Bounds(Size: 1, Rounds: 1));
        Get(isSampled: true, 1, 2);
        _cache.EndRound();
        for (var round = 0; round < 3; round++)
        {
            Get(isSampled: true, 1);
            Get(isSampled: false, 2);
            _cache.EndRound();
        }

        Assert.Equal(1, _cache.Count);
    }

    [Fact]
    public void Takes_another_size_while_in_use()
    {
        Get(isSampled: true, [.. Enumerable.Range(1, 100)]);
        for (var round = 0; round < 5; round++)
        {
            _cache.EndRound();
        }

        Assert.Equal(100, _cache.Count);
        _cache.SetBounds(new ContainerCache.Bounds(Size: 10, Rounds: 3));
        _cache.EndRound();
        Assert.Equal(10, _cache.Count);
    }

    [Fact]
    public void Reads_a_process_that_ended_no_more()
    {
        Get(isSampled: true, 1);
        _cache.Forget(Identity(1));

        Assert.Equal(0, _cache.Count);
    }

    private static ProcessIdentity Identity(int pid) => new(pid, 0, 0);

    private void Get(bool isSampled, params int[] pids)
    {
        foreach (var pid in pids)
        {
            _cache.Get(new KnownProcess(Identity(pid), "comm"), isSampled, known =>
            {
                _read.Add(known.Identity.Pid);
                return new TargetTable.ProcessFacts("", "comm");
            });
        }
    }
}
