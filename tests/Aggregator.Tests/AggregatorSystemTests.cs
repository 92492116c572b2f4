using ActorProfiler.Aggregator;
using ActorProfiler.Aggregator.Destinations;
using ActorProfiler.Labels;
using ActorProfiler.Protocol;
using Akka.Actor;
using Microsoft.Extensions.Time.Testing;

namespace ActorProfiler.Tests;

public sealed class AggregatorSystemTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _clock = new(DateTimeOffset.FromUnixTimeMilliseconds(Samples.Start / 1_000_000));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Pushes_one_profile_of_all_batches_of_a_series()
    {
        await using var server = await FakePyroscope.StartAsync();
        await using var aggregator = await RunningAggregator.StartAsync(Options(server));
        var collector = aggregator.Collector();

        collector.Send(aggregator.System.Ingest, Samples.Submit(1, Samples.Web, Samples.Batch(("work;main", 3), ("idle;main", 1))));
        collector.Send(aggregator.System.Ingest, Samples.Submit(2, Samples.Web, Samples.Batch(Samples.Start + Samples.Second, 20_000_000, 2, ("work;main", 5))));
        var stored = await collector.ReceiveAsync(TimeSpan.FromSeconds(60));
        await aggregator.System.StopAsync();

        Assert.Equal([1ul, 2ul], Assert.IsType<Stored>(stored).Sequences.Order());
        var push = Assert.Single(server.Pushes);
        Assert.Equal(LabelSet.Of(("__name__", "process_cpu"), ("service_name", "web")), push.Labels);
        Assert.Equal(3 * 10_000_000 + 5 * 2 * 20_000_000, push.Stacks()["work;main"]);
        Assert.Equal(10_000_000, push.Stacks()["idle;main"]);
        Assert.Equal(Samples.Start, push.Profile.TimeNanos);
        Assert.Equal(2 * Samples.Second, push.Profile.DurationNanos);
        Assert.Equal((9, 9, 0), Balance(aggregator.System.Ledgers.Intake));
        Assert.Equal((9, 9, 0), Balance(aggregator.System.Ledgers.Destinations["server"]));
    }

    [Fact]
    public async Task Processes_of_a_service_share_one_profile()
    {
        await using var server = await FakePyroscope.StartAsync();
        await using var aggregator = await RunningAggregator.StartAsync(Options(server));
        var collector = aggregator.Collector();

        for (var pid = 1ul; pid <= 3; pid++)
        {
            collector.Send(aggregator.System.Ingest, Samples.Submit(pid, Samples.Web.With("__process_pid__", $"{pid}"), Samples.Batch(("work;main", pid))));
        }

        await collector.ReceiveAsync(TimeSpan.FromSeconds(60));
        await aggregator.System.StopAsync();

        Assert.Equal(6 * 10_000_000, Assert.Single(server.Pushes).Stacks()["work;main"]);
    }

    [Fact]
    public async Task Neither_loses_nor_doubles_an_acknowledged_batch_over_a_kill()
    {
        await using var server = await FakePyroscope.StartAsync();
        server.Intercept = async context =>
        {
            await FakePyroscope.AnswerAsync(context, 503, "unavailable", "starting");
            return true;
        };
        var submit = Samples.Submit(1, Samples.Web, Samples.Batch(("work;main", 3)));
        var first = await RunningAggregator.StartAsync(Options(server));
        var collector = first.Collector();
        collector.Send(first.System.Ingest, submit);
        Assert.IsType<Stored>(await collector.ReceiveAsync(TimeSpan.FromSeconds(60)));
        await first.KillAsync();

        server.Intercept = _ => Task.FromResult(false);
        using var left = _folder.Copy();
        await using var second = await RunningAggregator.StartAsync(Options(server) with { DataFolder = left.Path });
        var again = second.Collector();
        again.Send(second.System.Ingest, submit);
        Assert.IsType<Stored>(await again.ReceiveAsync(TimeSpan.FromSeconds(60)));
        await second.System.StopAsync();

        Assert.Equal(3 * 10_000_000, Assert.Single(server.Pushes).Stacks()["work;main"]);
    }

    [Fact]
    public async Task A_dead_destination_does_not_delay_another()
    {
        await using var dead = await FakePyroscope.StartAsync();
        await using var alive = await FakePyroscope.StartAsync();
        var hang = new TaskCompletionSource();
        dead.Intercept = async context =>
        {
            await hang.Task.WaitAsync(context.RequestAborted);
            return true;
        };
        var options = Options(alive);
        await using var aggregator = await RunningAggregator.StartAsync(options with
        {
            Destinations = [Setup("dead", dead.Url), .. options.Destinations],
            DrainTimeout = TimeSpan.FromMilliseconds(200),
        });
        var collector = aggregator.Collector();

        for (var i = 1ul; i <= 20; i++)
        {
            collector.Send(aggregator.System.Ingest, Samples.Submit(i, Samples.Web.With("n", $"{i}"), Samples.Batch(("work;main", i))));
        }

        await Eventually.TrueAsync(() => alive.Pushes.Count == 20);
        Assert.Equal(210, aggregator.System.Ledgers.Destinations["dead"].InFlight);
        await Eventually.TrueAsync(() => aggregator.System.Ledgers.Destinations["server"].InFlight == 0);
        hang.SetResult();
    }

    [Fact]
    public async Task A_stopping_collector_has_its_windows_closed_at_once()
    {
        await using var server = await FakePyroscope.StartAsync();
        await using var aggregator = await RunningAggregator.StartAsync(Options(server) with { Window = TimeSpan.FromHours(1) });
        var collector = aggregator.Collector();
        var (first, second) = (Samples.Submit(1, Samples.Web, Samples.Batch(("work;main", 3))), Samples.Submit(2, Samples.Web, Samples.Batch(("work;main", 5))));
        collector.Send(aggregator.System.Ingest, first);

        foreach (var submit in (Submit[])[first.Clone(), second])
        {
            submit.Hurry = true;
            collector.Send(aggregator.System.Ingest, submit);
        }

        var stored = Assert.IsType<Stored>(await collector.ReceiveAsync(TimeSpan.FromSeconds(60)));
        Assert.Equal([1ul, 2ul], stored.Sequences.Order());
        await Eventually.TrueAsync(() => server.Pushes.Count == 1);
        Assert.Equal(8 * 10_000_000, server.StoredNanos);
    }

    [Fact]
    public async Task Refuses_a_malformed_payload_and_keeps_the_rest_of_its_window()
    {
        await using var server = await FakePyroscope.StartAsync();
        await using var aggregator = await RunningAggregator.StartAsync(Options(server));
        var collector = aggregator.Collector();

        collector.Send(aggregator.System.Ingest, Samples.Submit(1, Samples.Web, Samples.Batch(("work;main", 3))));
        collector.Send(aggregator.System.Ingest, Samples.Submit(2, Samples.Web, [1, 2, 3], Compression.None, 1));
        var refused = Assert.IsType<Refused>(await collector.ReceiveAsync(TimeSpan.FromSeconds(60)));
        var stored = Assert.IsType<Stored>(await collector.ReceiveAsync(TimeSpan.FromSeconds(60)));

        Assert.Equal((2ul, "malformed"), (refused.Sequence, refused.Reason));
        Assert.Equal([1ul], stored.Sequences);
        Assert.Equal(1, aggregator.System.Ledgers.Intake.Dropped["malformed"]);
    }

    private static (long Ticks, long Delivered, long InFlight) Balance(Telemetry.LossLedger ledger) =>
        (ledger.Ticks, ledger.Delivered, ledger.InFlight);

    private AggregatorOptions Options(FakePyroscope server) => new(_folder.Path)
    {
        Window = TimeSpan.FromMilliseconds(600),
        Destinations = [Setup("server", server.Url)],
        Clock = _clock,
    };

    private DestinationSetup Setup(string name, Uri url) =>
        DestinationSetup.Pyroscope(new PyroscopeWriteOptions(url) { Name = name, MaxBackoffRetries = 1 }, _clock);
}
