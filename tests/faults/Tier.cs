using ActorProfiler.Labels;
using ActorProfiler.Tests.Run;

namespace ActorProfiler.Tests.Faults;

/// <summary>
/// Aggregators, each in a network namespace, with destinations and the collectors of an <see cref="Oracle"/> on the test's side of the network.
/// Disposing ends all of it.
/// </summary>
internal sealed class Tier : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TierOptions _options;
    private readonly List<FakePyroscope> _destinations = [];
    private readonly List<MintingCollector> _collectors = [];
    private readonly List<TemporaryFolder> _folders = [];
    private readonly List<Network.Node> _nodes = [];
    private readonly List<ServiceProcess?> _processes = [];

    private Tier(TierOptions options) => (_options, Network) = (options, Network.Create());

    public Network Network { get; }

    public Oracle Oracle { get; } = new();

    public IReadOnlyList<FakePyroscope> Destinations => _destinations;

    public IReadOnlyList<MintingCollector> Collectors => _collectors;

    public IReadOnlyList<Network.Node> Nodes => _nodes;

    public IReadOnlyList<Uri> Addresses => [.. _nodes.Select(node => new Uri($"http://{node.Address}:4053"))];

    /// <summary>What the aggregators wrote last.</summary>
    public string Text => string.Join("\n", _processes.Select((process, i) => $"--- aggregator {i}\n{process?.Text}"));

    /// <summary>Starts destinations and aggregators; all of them share the series when it returns.</summary>
    public static async Task<Tier> StartAsync(TierOptions options)
    {
        Requirements.Bpf();
        var tier = new Tier(options);
        try
        {
            for (var i = 0; i < options.Destinations; i++)
            {
                tier._destinations.Add(await FakePyroscope.StartAsync($"{tier.Network.Address}:0"));
            }

            for (var i = 0; i < options.Nodes; i++)
            {
                tier._nodes.Add(tier.Network.Add());
                tier._folders.Add(new TemporaryFolder());
                tier._processes.Add(null);
            }

            options.Prepare(tier);
            for (var i = 0; i < options.Nodes; i++)
            {
                tier.Start(i);
            }

            await tier.AllUpAsync();
            return tier;
        }
        catch
        {
            await tier.DisposeAsync();
            throw;
        }
    }

    public ServiceProcess this[int node] => _processes[node]!;

    public string DataFolder(int node) => _folders[node].Path;

    /// <summary>Path of the node's configuration, which may be rewritten.</summary>
    public string ConfigFile(int node) => Path.Combine(_folders[node].Path, "tier.alloy");

    public void Start(int node)
    {
        _processes[node]?.Dispose();
        if (!File.Exists(ConfigFile(node)))
        {
            File.WriteAllText(ConfigFile(node), ConfigOf(node));
        }

        _processes[node] = ServiceProcess.StartUnder(
            [.. _options.Outside, Requirements.FindOnPath("ip")!, "netns", "exec", _nodes[node].Namespace, .. _options.Launcher],
            "run", ConfigFile(node), "--role", "aggregator", "--http.listen", $"{_nodes[node].Address}:4041", "--data-dir", _folders[node].Path, "--insecure-plaintext");
    }

    public async Task KillAsync(int node) => await _processes[node]!.KillAsync();

    /// <summary>SIGTERM; returns how long the exit took.</summary>
    public async Task<TimeSpan> StopAsync(int node)
    {
        var started = TimeProvider.System.GetTimestamp();
        Assert.Equal(0, await _processes[node]!.StopAsync());
        return TimeProvider.System.GetElapsedTime(started);
    }

    /// <summary>Waits until every aggregator that runs is ready and sees as many others as there are.</summary>
    public async Task AllUpAsync()
    {
        foreach (var process in _processes)
        {
            await process!.WaitForLineAsync("aggregating;");
            if (_nodes.Count > 1)
            {
                await Poll.UntilAsync(
                    () => process.Lines.LastOrDefault(line => line.Contains("aggregators share", StringComparison.Ordinal))?.Contains($"{_nodes.Count} aggregators share", StringComparison.Ordinal) == true
                        || process.HasExited, Patience, () => Text);
            }

            Assert.False(process.HasExited, Text);
        }
    }

    public MintingCollector AddCollector(Func<MintingOptions, MintingOptions>? change = null)
    {
        var series = Enumerable.Range(0, _options.SeriesPerCollector).Select(i => LabelSet.Of(("__name__", "process_cpu"), ("service_name", $"service-{i}"))).ToList();
        var options = new MintingOptions(Addresses, series);
        var collector = MintingCollector.Start(Oracle, change is null ? options : change(options));
        _collectors.Add(collector);
        return collector;
    }

    public void AddCollectors(int count, Func<MintingOptions, MintingOptions>? change = null)
    {
        for (var i = 0; i < count; i++)
        {
            AddCollector(change);
        }
    }

    /// <summary>Stops minting and waits until all is acknowledged.</summary>
    public async Task DrainCollectorsAsync() => await Task.WhenAll(_collectors.Select(collector => collector.DrainAsync(Patience * 2)));

    /// <summary>Waits until the aggregators have nothing left to push.</summary>
    /// <returns>How long that took.</returns>
    public async Task<TimeSpan> DeliverAllAsync()
    {
        var started = TimeProvider.System.GetTimestamp();
        await Poll.UntilAsync(
            async () =>
            {
                foreach (var node in _nodes)
                {
                    if (await MetricsPage.TryReadAsync($"{node.Address}:4041") is not { } page || page.Sum("actorprofiler_destination_waiting_profiles") != 0)
                    {
                        return false;
                    }
                }

                return true;
            },
            Patience * 2,
            () => Text);
        return TimeProvider.System.GetElapsedTime(started);
    }

    /// <summary>Drains collectors and aggregators, and judges every destination.</summary>
    public async Task<Verdict> JudgeAsync(long dropped = 0)
    {
        using var done = new CancellationTokenSource();
        var restarting = RestartEndedAsync(done.Token);
        await DrainCollectorsAsync();
        await DeliverAllAsync();
        await done.CancelAsync();
        await restarting;
        Verdict? worst = null;
        foreach (var destination in _destinations)
        {
            var verdict = Oracle.Judge(destination, dropped);
            verdict.AssertClean(() => Text);
            Assert.Empty(destination.Refusals);
            worst ??= verdict;
        }

        return worst!;
    }

    /// <summary>What a service manager does for a cluster: aggregators that have ended themselves are started anew.</summary>
    private async Task RestartEndedAsync(CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        while (_nodes.Count > 1 && !cancellation.IsCancellationRequested)
        {
            for (var node = 0; node < _nodes.Count; node++)
            {
                if (_processes[node]!.HasExited)
                {
                    Start(node);
                }
            }

            await timer.WaitForNextTickAsync(CancellationToken.None);
        }
    }

    public async Task<long> SumAsync(int node, string metric) => (await MetricsPage.ReadAsync($"{_nodes[node].Address}:4041")).Sum(metric);

    /// <summary>RSS in MiB.</summary>
    public double Memory(int node) => MemoryOf(_processes[node]!.Pid);

    public static double MemoryOf(int pid) =>
        File.ReadLines($"/proc/{pid}/status").Where(line => line.StartsWith("VmRSS:", StringComparison.Ordinal)).Select(line => double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]) / 1024).Single();

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_collectors.Select(collector => collector.DisposeAsync().AsTask()));
        foreach (var process in _processes)
        {
            process?.Dispose();
        }

        foreach (var destination in _destinations)
        {
            await destination.DisposeAsync();
        }

        Network.Dispose();
        _folders.ForEach(folder => folder.Dispose());
    }

    private string ConfigOf(int node)
    {
        var urls = _options.Urls?.Invoke(this) ?? [.. _destinations.Select(destination => destination.Url.ToString().TrimEnd('/'))];
        var endpoints = string.Concat(urls.Select((url, i) => $"  endpoint {{\n    url  = \"{url}\"\n    name = \"d{i}\"\n{_options.Endpoint}  }}\n"));
        var seeds = string.Join(", ", _nodes.Select(other => $"\"{other.Address}:4054\""));
        var clustered = _nodes.Count > 1 ? $"  address = \"{_nodes[node].Address}:4054\"\n  seeds   = [{seeds}]\n" : "";
        return $$"""
            pyroscope.aggregate "all" {
              window     = "{{_options.Window.TotalSeconds}}s"
              forward_to = [pyroscope.write.servers.receiver]
            }
            pyroscope.write "servers" {
            {{endpoints}}}
            cluster {
              listen = "{{_nodes[node].Address}}:4053"
            {{clustered}}{{_options.Cluster}}}

            """;
    }
}
