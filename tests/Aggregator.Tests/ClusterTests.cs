using System.Net;
using System.Net.Sockets;
using ActorProfiler.Aggregator;
using ActorProfiler.Aggregator.Aggregation;
using ActorProfiler.Aggregator.Destinations;
using ActorProfiler.Labels;
using ActorProfiler.Protocol;
using Akka.Actor;
using Akka.Cluster;
using Microsoft.Extensions.Time.Testing;

namespace ActorProfiler.Tests;

public sealed class ClusterTests : IDisposable
{
    private static readonly FakeTimeProvider _clock = new(DateTimeOffset.FromUnixTimeMilliseconds(Samples.Start / 1_000_000));

    private readonly TemporaryFolder _one = new();
    private readonly TemporaryFolder _two = new();

    public void Dispose()
    {
        _one.Dispose();
        _two.Dispose();
    }

    [Fact]
    public async Task Batches_of_a_series_meet_at_one_owner_and_a_leaving_node_flushes()
    {
        await using var server = await FakePyroscope.StartAsync();
        string[] seeds = [$"127.0.0.1:{FreePort()}", $"127.0.0.1:{FreePort()}"];
        await using var one = await RunningAggregator.StartAsync(Options(_one, server, seeds, 0));
        await using var two = await RunningAggregator.StartAsync(Options(_two, server, seeds, 1));
        foreach (var node in (RunningAggregator[])[one, two])
        {
            await Eventually.TrueAsync(() => Cluster.Get(node.Actors).State.Members.Count(member => member.Status == MemberStatus.Up) == 2);
        }

        var (first, second) = (one.Collector(), two.Collector());

        // The window is far longer than the test: only leaving closes it.
        for (var i = 1ul; i <= 20; i++)
        {
            first.Send(one.System.Ingest, Submit(i * 2, i));
            second.Send(two.System.Ingest, Submit((i * 2) + 1, i));
        }

        await Eventually.TrueAsync(() => one.System.Ledgers.Intake.Ticks + two.System.Ledgers.Intake.Ticks == 420);
        Assert.True(one.System.Ledgers.Intake.Ticks > 0 && two.System.Ledgers.Intake.Ticks > 0, "both own series");
        await CoordinatedShutdown.Get(two.Actors).Run(CoordinatedShutdown.ActorSystemTerminateReason.Instance);
        await one.System.StopAsync();

        Assert.Equal(20, server.Pushes.Count);
        Assert.All(server.Pushes, push => Assert.Equal(2 * 10_000_000 * long.Parse(push.Labels["n"]), push.Stacks()["work;main"]));
        Assert.NotNull(await first.ReceiveAsync(TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public async Task A_batch_whose_owner_died_before_the_answer_is_not_counted_twice()
    {
        await using var server = await FakePyroscope.StartAsync();
        string[] seeds = [$"127.0.0.1:{FreePort()}", $"127.0.0.1:{FreePort()}"];
        var one = await RunningAggregator.StartAsync(Options(_one, server, seeds, 0) with { Window = TimeSpan.FromMilliseconds(200) });
        await using var two = await RunningAggregator.StartAsync(Options(_two, server, seeds, 1));
        await BothUpAsync(one, two);
        var submit = OwnedBy(Cluster.Get(one.Actors).SelfAddress, Cluster.Get(two.Actors).SelfAddress);
        var (first, second) = (one.Collector(), two.Collector());
        first.Send(one.System.Ingest, submit);
        Assert.IsType<Stored>(await first.ReceiveAsync(TimeSpan.FromSeconds(60)));
        await one.KillAsync();

        // The collector has not heard of it, and sends it to the other aggregator.
        await Eventually.TrueAsync(() => Cluster.Get(two.Actors).State.Unreachable.Count == 1);
        var again = submit.Clone();
        again.Resent = true;
        second.Send(two.System.Ingest, again);
        using var left = _one.Copy();
        await using var restarted = await RunningAggregator.StartAsync(Options(left, server, seeds, 0));
        var stored = Assert.IsType<Stored>(await second.ReceiveAsync(TimeSpan.FromSeconds(60)));

        Assert.Equal([submit.Sequence], stored.Sequences);
        await two.System.StopAsync();
        await restarted.System.StopAsync();
        Assert.Equal(3 * 10_000_000, server.StoredNanos);
    }

    [Fact]
    public async Task A_batch_that_was_sent_before_is_taken_when_no_other_aggregator_has_it()
    {
        await using var server = await FakePyroscope.StartAsync();
        string[] seeds = [$"127.0.0.1:{FreePort()}", $"127.0.0.1:{FreePort()}"];
        await using var one = await RunningAggregator.StartAsync(Options(_one, server, seeds, 0) with { Window = TimeSpan.FromMilliseconds(200) });
        await using var two = await RunningAggregator.StartAsync(Options(_two, server, seeds, 1));
        await BothUpAsync(one, two);
        var collector = one.Collector();
        var submit = OwnedBy(Cluster.Get(one.Actors).SelfAddress, Cluster.Get(two.Actors).SelfAddress);
        submit.Resent = true;

        collector.Send(one.System.Ingest, submit);

        Assert.IsType<Stored>(await collector.ReceiveAsync(TimeSpan.FromSeconds(60)));
        await Eventually.TrueAsync(() => server.StoredNanos == 3 * 10_000_000);
    }

    private static async Task BothUpAsync(params RunningAggregator[] nodes)
    {
        foreach (var node in nodes)
        {
            await Eventually.TrueAsync(() => Cluster.Get(node.Actors).State.Members.Count(member => member.Status == MemberStatus.Up) == nodes.Length);
        }
    }

    private static Submit OwnedBy(Address owner, Address other)
    {
        var ring = SeriesRing.Of([owner, other]);
        var labels = Enumerable.Range(0, 100).Select(n => Samples.Web.With("n", $"{n}")).First(labels => ring.Owner(labels.Where(LabelNames.IsOfSeries).Hash)!.Equals(owner));
        return Samples.Submit(7, labels, Samples.Batch(("work;main", 3)));
    }

    private static Submit Submit(ulong sequence, ulong series) =>
        Samples.Submit(sequence, Samples.Web.With("n", $"{series}"), Samples.Batch(("work;main", series)));

    private static AggregatorOptions Options(TemporaryFolder folder, FakePyroscope server, string[] seeds, int node) => new(folder.Path)
    {
        Window = TimeSpan.FromMinutes(10),
        Cluster = new ClusterOptions("127.0.0.1", int.Parse(seeds[node].Split(':')[1]), seeds) { SeedTimeout = TimeSpan.FromSeconds(2) },
        Destinations = [DestinationSetup.Pyroscope(new PyroscopeWriteOptions(server.Url) { Name = "server" }, _clock)],
        Clock = _clock,
    };

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
