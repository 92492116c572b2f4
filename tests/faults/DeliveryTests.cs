using ActorProfiler.Tests.Run;

namespace ActorProfiler.Tests.Faults;

/// <summary>Real ticks over real processes and networks: what is sampled arrives, once.</summary>
public sealed class DeliveryTests : IDisposable
{
    private const string Plaintext = "--insecure-plaintext";
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(40);

    private readonly TemporaryFolder _collectorData = new();
    private readonly TemporaryFolder _aggregatorData = new();
    private readonly TemporaryFolder _otherData = new();

    public void Dispose()
    {
        _collectorData.Dispose();
        _aggregatorData.Dispose();
        _otherData.Dispose();
    }

    [Fact]
    [Trait("speed", "fast")]
    public async Task Every_tick_arrives_once_while_the_aggregator_is_killed_again_and_again()
    {
        Requirements.Bpf();
        using var network = Network.Create();
        var (collectorHost, aggregatorHost) = (network.Add(), network.Add());
        await using var server = await FakePyroscope.StartAsync($"{network.Address}:0");
        using var busy = TestPrograms.Start(TestPrograms.CompileC("split", "-O1"), "300");
        using var collector = StartCollector(collectorHost, aggregatorHost);
        var aggregator = StartAggregator(aggregatorHost, server);

        // Before anything is stored; while a push is under way; after one was answered, before that is on disk; right after a start.
        await collector.WaitForLineAsync("connected to aggregator");
        await RestartAsync();
        await OnPushAsync(server, isAnswered: false);
        await RestartAsync();
        await OnPushAsync(server, isAnswered: true);
        await RestartAsync();
        await aggregator.WaitForLineAsync("aggregating");
        await RestartAsync();
        var before = server.Pushes.Count;
        await Poll.UntilAsync(() => server.Pushes.Count > before + 2, _patience, () => $"pushes after the last start: {collector.Text}\n{aggregator.Text}");

        var metrics = await MetricsPage.ReadAsync($"{collectorHost.Address}:4041");
        Assert.Equal(0, await collector.StopAsync());
        Assert.Equal(0, await aggregator.StopAsync());
        aggregator.Dispose();

        var (ticks, stored, dropped, waiting) = collector.Balance("collector stopped");
        Assert.Empty(server.Refusals);
        Assert.Equal(0, waiting);
        Assert.Equal(ticks, stored + dropped);
        Assert.Equal(stored, server.StoredTicks);
        Assert.InRange(metrics.Sum("actorprofiler_collector_ticks_total"), 1, ticks);
        Assert.Contains(server.Stored, push => push.Labels["service_name"] is { } name && name.Contains("split", StringComparison.Ordinal)
            && push.Stacks().Keys.Any(stack => stack.StartsWith("spin;sort_rows;run_query;main", StringComparison.Ordinal)));

        async Task RestartAsync()
        {
            await aggregator.KillAsync();
            aggregator.Dispose();
            aggregator = StartAggregator(aggregatorHost, server);
        }
    }

    [Fact]
    [Trait("speed", "fast")]
    public async Task A_collector_moves_to_another_aggregator_within_five_seconds_over_TLS()
    {
        Requirements.Bpf();
        using var network = Network.Create();
        var (collectorHost, first, second) = (network.Add(), network.Add(), network.Add());
        await using var server = await FakePyroscope.StartAsync($"{network.Address}:0");
        using var busy = TestPrograms.Start(TestPrograms.CompileC("split", "-O1"), "300");
        var seeds = $"seeds = [\"{first.Address}:4054\", \"{second.Address}:4054\"]";
        using var certificates = new TemporaryFolder();
        var tls = Path.Combine(certificates.Path, "tls");
        using var init = ServiceProcess.Start(null, "tls", "init", tls, "--host", first.Address, "--host", second.Address);
        Assert.Equal(0, await init.ExitAsync());
        string[] security = ["--tls.dir", tls];
        Network.Node[] hosts = [first, second];
        TemporaryFolder[] data = [_aggregatorData, _otherData];
        ServiceProcess[] nodes = [Start(0), Start(1)];
        foreach (var node in nodes)
        {
            await node.WaitForLineAsync("2 aggregators share");
        }

        using var collector = StartCollector(collectorHost, security, first, second);
        await collector.WaitForLineAsync("connected to aggregator");
        await Poll.UntilAsync(() => server.Pushes.Count > 0, _patience, () => $"a push: {collector.Text}");
        var preferred = collector.Lines.Any(line => line.Contains($"at https://{first.Address}:", StringComparison.Ordinal)) ? 0 : 1;

        await nodes[preferred].KillAsync();
        var killed = TimeProvider.System.GetTimestamp();
        await collector.WaitForLineAsync($"at https://{hosts[1 - preferred].Address}:4053");
        Assert.True(TimeProvider.System.GetElapsedTime(killed) < TimeSpan.FromSeconds(5));

        nodes[preferred].Dispose();
        nodes[preferred] = Start(preferred);
        await nodes[preferred].WaitForLineAsync("2 aggregators share");
        var before = server.Pushes.Count;
        await Poll.UntilAsync(() => server.Pushes.Count > before + 2, _patience, () => $"pushes after the restart: {nodes[0].Text}\n{nodes[1].Text}");
        Assert.Equal(0, await collector.StopAsync());
        foreach (var node in nodes)
        {
            Assert.Equal(0, await node.StopAsync());
            node.Dispose();
        }

        var (ticks, stored, dropped, waiting) = collector.Balance("collector stopped");
        Assert.Equal((ticks, 0), (stored + dropped, waiting));
        Assert.Equal(stored, server.StoredTicks);

        ServiceProcess Start(int node) =>
            StartAggregator(hosts[node], server, data[node], $"{seeds}\naddress = \"{hosts[node].Address}:4054\"", security);
    }

    [Fact]
    public async Task A_collector_moves_when_its_targets_name_another_aggregator()
    {
        Requirements.Bpf();
        using var network = Network.Create();
        var (collectorHost, first, second) = (network.Add(), network.Add(), network.Add());
        await using var server = await FakePyroscope.StartAsync($"{network.Address}:0");
        using var busy = TestPrograms.Start(TestPrograms.CompileC("split", "-O1"), "300");
        using var one = StartAggregator(first, server);
        using var two = StartAggregator(second, server, _otherData, "", Plaintext);
        var config = ConfigText.Write(_collectorData, cluster: TargetOf(first));
        using var collector = ServiceProcess.Start(
            collectorHost, "run", config, Plaintext, "--role", "collector", "--http.listen", $"{collectorHost.Address}:4041", "--data-dir", _collectorData.Path);
        await collector.WaitForLineAsync($"at http://{first.Address}:4053");
        await Poll.UntilAsync(() => server.Pushes.Count > 0, _patience, () => $"a push: {collector.Text}\n{one.Text}");

        await File.WriteAllTextAsync(config, (await File.ReadAllTextAsync(config)).Replace(TargetOf(first), TargetOf(second), StringComparison.Ordinal));
        collector.HangUp();
        await collector.WaitForLineAsync($"at http://{second.Address}:4053");
        var before = server.Pushes.Count;
        await Poll.UntilAsync(() => server.Pushes.Count > before, _patience, () => $"a push: {collector.Text}\n{two.Text}");

        using var audit = ServiceProcess.Start(null, ["audit", .. new[] { collectorHost, first, second }.Select(host => $"http://{host.Address}:4041")]);
        Assert.True(await audit.ExitAsync() == 0, audit.Text);
        Assert.Equal(0, await collector.StopAsync());
        Assert.Equal(0, await one.StopAsync());
        Assert.Equal(0, await two.StopAsync());

        var (ticks, stored, dropped, waiting) = collector.Balance("collector stopped");
        Assert.Equal((ticks, 0), (stored + dropped, waiting));
        Assert.Equal(stored, server.StoredTicks);

        static string TargetOf(Network.Node node) => $"aggregator_targets = [{{ \"__address__\" = \"{node.Address}:4053\" }}]";
    }

    [Fact]
    [Trait("scenario", "12")]
    [Trait("speed", "fast")]
    public async Task A_killed_collector_sends_at_its_next_start_what_was_not_stored()
    {
        Requirements.Bpf();
        using var network = Network.Create();
        var (collectorHost, aggregatorHost) = (network.Add(), network.Add());
        await using var server = await FakePyroscope.StartAsync($"{network.Address}:0");
        using var busy = TestPrograms.Start(TestPrograms.CompileC("split", "-O1"), "300");
        var address = $"{collectorHost.Address}:4041";
        var collector = StartCollector(collectorHost, aggregatorHost);
        var kept = 0L;
        await Poll.UntilAsync(
            async () => (kept = (await MetricsPage.TryReadAsync(address))?.Sum("actorprofiler_collector_in_flight_ticks") ?? 0) > 200, _patience, () => collector.Text);
        await collector.KillAsync();
        collector.Dispose();

        using var again = StartCollector(collectorHost, aggregatorHost);
        using var aggregator = StartAggregator(aggregatorHost, server);
        await Poll.UntilAsync(() => server.StoredTicks > kept, _patience, () => again.Text);
        Assert.Equal(0, await again.StopAsync());
        Assert.Equal(0, await aggregator.StopAsync());

        var (ticks, stored, dropped, waiting) = again.Balance("collector stopped");
        Assert.Equal((ticks, 0), (stored + dropped, waiting));
        Assert.Equal(stored, server.StoredTicks);
        Scenario.Report(
            12, "`kill -9` of a collector that samples this host, while no aggregator runs", new Verdict((int)ticks, (int)stored, 0, 0, 0, 0, 0, 0, dropped),
            $"{kept} ticks were waiting when it was killed; all in its spool arrived");
    }

    private ServiceProcess StartCollector(Network.Node node, params Network.Node[] aggregators) => StartCollector(node, [Plaintext], aggregators);

    private ServiceProcess StartCollector(Network.Node node, string[] security, params Network.Node[] aggregators) => ServiceProcess.Start(
        node,
        [
            "run",
            ConfigText.Write(_collectorData, cluster: ConfigText.Aggregators([.. aggregators.Select(aggregator => $"{aggregator.Address}:4053")])),
            .. security, "--role", "collector", "--http.listen", $"{node.Address}:4041", "--data-dir", _collectorData.Path,
        ]);

    private ServiceProcess StartAggregator(Network.Node node, FakePyroscope server) => StartAggregator(node, server, _aggregatorData, "", Plaintext);

    private static ServiceProcess StartAggregator(Network.Node node, FakePyroscope server, TemporaryFolder data, string cluster, params string[] security) => ServiceProcess.Start(
        node,
        [
            "run", ConfigText.Write(data, server.Url.ToString(), $"listen = \"{node.Address}:4053\"\n{cluster}"), .. security,
            "--role", "aggregator", "--http.listen", $"{node.Address}:4041", "--data-dir", data.Path,
        ]);

    /// <summary>Returns while the server works on a push, or right after it answered one.</summary>
    private static async Task OnPushAsync(FakePyroscope server, bool isAnswered)
    {
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        server.Intercept = context =>
        {
            if (isAnswered)
            {
                context.Response.OnCompleted(() =>
                {
                    seen.TrySetResult();
                    return Task.CompletedTask;
                });
            }
            else
            {
                seen.TrySetResult();
            }

            return Task.FromResult(false);
        };
        await seen.Task.WaitAsync(_patience);
        server.Intercept = _ => Task.FromResult(false);
    }
}
