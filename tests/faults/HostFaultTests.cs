using System.Diagnostics;
using ActorProfiler.Tests.Run;

namespace ActorProfiler.Tests.Faults;

/// <summary>Faults under collectors that sample this host. Each ends with the same judgement: what was acknowledged arrived, once, and nothing else did.</summary>
public sealed class HostFaultTests : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private static readonly HttpClient _http = new();

    private readonly TemporaryFolder _collectorData = new();
    private readonly TemporaryFolder _aggregatorData = new();
    private readonly TemporaryFolder _configurations = new();

    public void Dispose()
    {
        _collectorData.Dispose();
        _aggregatorData.Dispose();
        _configurations.Dispose();
    }

    [Fact]
    [Trait("collectors", "real")]
    public async Task A_destination_that_never_answers_delays_no_other_and_gets_everything_when_it_is_back()
    {
        Requirements.Bpf();
        using var network = Network.Create();
        var node = network.Add();
        await using var alive = await FakePyroscope.StartAsync($"{network.Address}:0");
        await using var dead = await FakePyroscope.StartAsync($"{network.Address}:0");
        var returns = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        dead.Intercept = async context =>
        {
            await returns.Task.WaitAsync(context.RequestAborted);
            return false;
        };
        using var busy = Busy();
        using var service = ServiceProcess.Start(
            node, "run", ConfigText.WriteTo(_aggregatorData, "", alive.Url.ToString(), dead.Url.ToString()),
            "--data-dir", _aggregatorData.Path, "--http.listen", $"{node.Address}:4041", "--insecure-plaintext");

        await Poll.UntilAsync(() => alive.Pushes.Count > 20, _patience, () => service.Text);
        var behind = alive.StoredTicks - dead.StoredTicks;
        returns.SetResult();
        await Poll.UntilAsync(() => dead.StoredTicks >= behind, _patience, () => service.Text);
        Assert.Equal(0, await service.StopAsync());

        var (ticks, delivered, dropped, waiting) = service.Balance(dead.Url.ToString().TrimEnd('/'));
        Assert.Equal((ticks, 0), (delivered + waiting, dropped));
        Assert.Equal(delivered, dead.StoredTicks);
        Assert.Equal(ticks, alive.StoredTicks);
    }

    [Fact]
    [Trait("collectors", "real")]
    public async Task A_partition_is_noticed_and_what_was_sampled_meanwhile_arrives_once()
    {
        Requirements.Bpf();
        using var network = Network.Create();
        var (collectorHost, aggregatorHost) = (network.Add(), network.Add());
        await using var server = await FakePyroscope.StartAsync($"{network.Address}:0");
        using var busy = Busy();
        using var aggregator = StartAggregator(aggregatorHost, server);
        using var collector = StartCollector(collectorHost, aggregatorHost);
        await Poll.UntilAsync(() => server.Pushes.Count > 0, _patience, () => collector.Text);

        // Either may have started first, so there may be such lines already.
        var (lost, connected) = (Count("no aggregator:"), Count("connected to aggregator"));
        Network.Connect(collectorHost, up: false);
        var cut = TimeProvider.System.GetTimestamp();
        await Poll.UntilAsync(() => Count("no aggregator:") > lost, _patience, () => collector.Text);
        var noticed = TimeProvider.System.GetElapsedTime(cut);
        Network.Connect(collectorHost, up: true);
        await Poll.UntilAsync(() => Count("connected to aggregator") > connected, _patience, () => collector.Text);
        Assert.Equal(0, await collector.StopAsync());
        Assert.Equal(0, await aggregator.StopAsync());

        Assert.True(noticed < TimeSpan.FromSeconds(15), $"noticed after {noticed.TotalSeconds:0.0} s");
        Judge(collector, server);

        int Count(string part) => collector.Lines.Count(line => line.Contains(part, StringComparison.Ordinal));
    }

    [Fact]
    [Trait("collectors", "real")]
    public async Task A_full_disk_stops_acknowledgements_and_nothing_else()
    {
        Requirements.Bpf();
        Requirements.Tool("mount", "mount");
        using var network = Network.Create();
        var (collectorHost, aggregatorHost) = (network.Add(), network.Add());
        await using var server = await FakePyroscope.StartAsync($"{network.Address}:0");
        using var busy = Busy();
        using var disk = new SmallDisk(_aggregatorData.Path, megabytes: 4);
        using var aggregator = StartAggregator(aggregatorHost, server);
        using var collector = StartCollector(collectorHost, aggregatorHost);
        await Poll.UntilAsync(() => server.Pushes.Count > 0, _patience, () => collector.Text);

        disk.Fill();
        await Poll.UntilAsync(async () => (await HealthAsync(aggregatorHost)).Contains("outbox disk", StringComparison.Ordinal), _patience, () => aggregator.Text);
        disk.Free();
        await Poll.UntilAsync(async () => !(await HealthAsync(aggregatorHost)).Contains("outbox disk", StringComparison.Ordinal), _patience, () => aggregator.Text);
        Assert.Equal(0, await collector.StopAsync());
        Assert.Equal(0, await aggregator.StopAsync());

        Judge(collector, server);
    }

    [Fact]
    [Trait("scenario", "28")]
    public async Task Targets_whose_perf_maps_are_traps()
    {
        Requirements.Bpf();
        await using var server = await FakePyroscope.StartAsync();
        using TestPrograms.RunningProgram busy = Busy(), link = Busy(), pipe = Busy(), sparse = Busy();
        var maps = new[] { link, pipe, sparse }.Select(program => $"/tmp/perf-{program.Pid}.map").ToArray();
        try
        {
            File.CreateSymbolicLink(maps[0], "/etc/shadow");
            using (var fifo = Process.Start("mkfifo", maps[1]))
            {
                await fifo.WaitForExitAsync();
            }

            using (var file = File.Create(maps[2]))
            {
                file.SetLength(1L << 40);
            }

            var (ticks, stored) = await ProfileThisHostAsync(server, () => server.Stored.Count(push => push.Labels["service_name"] is "split") > 3);
            Assert.DoesNotContain(server.Stored, push => push.Stacks().Keys.Any(stack => stack.Contains("root:", StringComparison.Ordinal)));
            Scenario.Report(28, "perf maps that are a symlink, a FIFO, a sparse file of 1 TiB", OfHost(ticks, stored), "nothing of other files in any stack; sampling goes on");
        }
        finally
        {
            foreach (var map in maps)
            {
                File.Delete(map);
            }
        }
    }

    [Fact]
    [Trait("scenario", "29")]
    public async Task Processes_come_and_go_faster_than_they_can_be_looked_at()
    {
        Requirements.Bpf();
        await using var server = await FakePyroscope.StartAsync();
        using var bombs = Process.Start(new ProcessStartInfo("timeout", ["15", "sh", "-c", "(while :; do /bin/true; done) & while :; do /bin/true; done"]))!;
        var memory = 0.0;
        var (ticks, stored) = await ProfileThisHostAsync(server, () =>
        {
            return bombs.HasExited;
        }, service => memory = Math.Max(memory, Tier.MemoryOf(service.Pid)));
        Assert.True(memory < 600, $"RSS {memory:0} MiB");
        Scenario.Report(29, "two loops that start processes as fast as they can, 15 s", OfHost(ticks, stored), $"every tick accounted for; RSS ≤ {memory:0} MiB");
    }

    private async Task<(long Ticks, long Stored)> ProfileThisHostAsync(FakePyroscope server, Func<bool> until, Action<ServiceProcess>? look = null)
    {
        using var service = ServiceProcess.Start(
            null, "run", ConfigText.Write(_aggregatorData, server.Url.ToString()), "--data-dir", _aggregatorData.Path, "--http.listen", "127.0.0.1:4091");
        await Poll.UntilAsync(
            () =>
            {
                look?.Invoke(service);
                return until() || service.HasExited;
            },
            _patience,
            () => service.Text);
        Assert.Equal(0, await service.StopAsync());
        var (ticks, stored, dropped, waiting) = service.Balance("collector stopped");
        Assert.Equal((ticks, 0), (stored + dropped, waiting));
        Assert.Equal(stored, server.StoredTicks);
        Assert.Empty(server.Refusals);
        return (ticks, stored);
    }

    // What was judged above by the ledgers and by the ticks at the server.
    private static Verdict OfHost(long ticks, long stored) => new((int)ticks, (int)stored, 0, 0, 0, 0, 0, 0, ticks - stored);

    private static void Judge(ServiceProcess collector, FakePyroscope server)
    {
        var (ticks, stored, dropped, waiting) = collector.Balance("collector stopped");
        Assert.Equal((ticks, 0), (stored + dropped, waiting));
        Assert.Equal(stored, server.StoredTicks);
        Assert.Empty(server.Refusals);
    }

    private static TestPrograms.RunningProgram Busy() => TestPrograms.Start(TestPrograms.CompileC("split", "-O1"), "300");

    private static async Task<string> HealthAsync(Network.Node node) =>
        await (await _http.GetAsync($"http://{node.Address}:4041/-/healthy")).Content.ReadAsStringAsync();

    private ServiceProcess StartCollector(Network.Node node, Network.Node aggregator) => ServiceProcess.Start(
        node, "run", ConfigText.Write(_collectorData, cluster: ConfigText.Aggregators($"{aggregator.Address}:4053")),
        "--role", "collector", "--http.listen", $"{node.Address}:4041", "--data-dir", _collectorData.Path, "--insecure-plaintext");

    private ServiceProcess StartAggregator(Network.Node node, FakePyroscope server) => ServiceProcess.Start(
        node, "run", ConfigText.Write(_configurations, server.Url.ToString(), $"listen = \"{node.Address}:4053\""),
        "--role", "aggregator", "--http.listen", $"{node.Address}:4041", "--data-dir", _aggregatorData.Path, "--insecure-plaintext");
}
