using System.Diagnostics;
using System.Text.Json.Nodes;
using ActorProfiler.Collector.Targets.Discovery;
using ActorProfiler.Collector.Targets.Discovery.Docker;
using ActorProfiler.Labels;

namespace ActorProfiler.Tests.Run;

/// <summary>Against a real Docker daemon: what is found, beside what Prometheus finds, and a container's way to its series.</summary>
public sealed class DockerTests(DockerDaemon docker) : IClassFixture<DockerDaemon>, IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    /// <summary>Labels that Prometheus adds to every target of a job.</summary>
    private static readonly string[] _ofJob = ["job", "__scheme__", "__metrics_path__", "__scrape_interval__", "__scrape_timeout__"];

    /// <summary>Labels that Prometheus has learned after 2.42, the version of Debian 12.</summary>
    private static readonly string[] _newer = ["__meta_docker_container_image", "__meta_docker_container_image_id"];

    private readonly TemporaryFolder _data = new();

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task Containers_and_swarms_are_found_as_Prometheus_finds_them_and_a_busy_one_ends_in_its_series()
    {
        docker.Need();
        Requirements.Bpf();
        Requirements.Tool("promtool", "prometheus");
        var program = TestPrograms.CompileC("split", "-O1", "-static");
        await docker.ImportAsync("busy", program, TestPrograms.CompileC("idle", "-static"));
        await StartContainersAsync();

        var (found, expected) = await BothAsync(new DockerDiscovery { Host = docker.Host, MatchFirstNetwork = false }, "docker", "");
        Assert.Equal(expected, found);
        Assert.Equal(8, Lines(found).Count(line => line is "__meta_docker_container_name=/web"));
        var beside = (await FindAsync(new DockerDiscovery { Host = docker.Host, MatchFirstNetwork = false })).Where(IsOfSharedNetwork);
        Assert.Equal(["172.29.0.2:80", "172.28.0.2:80"], beside.Select(target => target["__address__"]));
        Assert.All(await FindAsync(new DockerDiscovery { Host = docker.Host }), target => Assert.NotEqual("front", target["__meta_docker_container_name"] is "/web" ? target["__meta_docker_network_name"] : ""));

        await FollowAsync(program);

        await StartSwarmAsync();
        foreach (var role in new[] { "nodes", "services", "tasks" })
        {
            (found, expected) = await BothAsync(new DockerSwarmDiscovery { Host = docker.Host, Role = role }, "dockerswarm", $"        role: {role}\n");
            Assert.Equal(expected, found);
            Assert.NotEmpty(found);
        }

        await CreateServiceAsync("vip", new JsonObject { ["Global"] = new JsonObject() }, "host", null); // Prometheus finds no service any more
        IReadOnlyList<LabelSet> services = [];
        await Poll.UntilAsync(async () => (services = await FindAsync(new DockerSwarmDiscovery { Host = docker.Host, Role = "services" })).Any(IsVip), _patience, () => "a service without address");
        Assert.Equal("", services.Single(IsVip)["__address__"]);

        static bool IsVip(LabelSet service) => service["__meta_dockerswarm_service_name"] == "vip";

        // Prometheus has nothing to scrape where there is no address; a profiler needs none.
        var tasks = await FindAsync(new DockerSwarmDiscovery { Host = docker.Host, Role = "tasks" });
        var onHost = Assert.Single(tasks, task => task["__meta_dockerswarm_service_name"] == "onhost");
        Assert.Equal(("", 64), (onHost["__address__"], onHost["__meta_dockerswarm_task_container_id"].Length));
    }

    /// <summary>Of a process in a container, through discovery and relabeling, to a profile at a server.</summary>
    private async Task FollowAsync(string program)
    {
        var id = await docker.RunAsync("shop", $"/{Path.GetFileName(program)} 300", "front", new JsonObject { ["Labels"] = new JsonObject { ["com.example/team"] = "blue" } });
        await using var server = await FakePyroscope.StartAsync();
        var config = Path.Combine(_data.Path, "docker.alloy");
        await File.WriteAllTextAsync(config, $$"""
            discovery.docker "local" {
              host = "{{docker.Host}}"
            }
            discovery.relabel "shop" {
              targets = discovery.docker.local.targets
              rule {
                source_labels = ["__meta_docker_container_name"]
                regex         = "/shop"
                action        = "keep"
              }
              rule {
                source_labels = ["__meta_docker_container_label_com_example_team"]
                target_label  = "team"
              }
            }
            pyroscope.ebpf "containers" {
              targets          = discovery.relabel.shop.output
              forward_to       = [pyroscope.aggregate.all.receiver]
              collect_interval = "1s"
            }
            {{ConfigText.AggregateTo(server.Url.ToString())}}
            """);
        using var service = ServiceProcess.Start(null, "run", config, "--data-dir", _data.Path, "--http.listen", "127.0.0.1:0");
        await Poll.UntilAsync(() => server.Pushes.Count > 1, _patience, () => service.Text);
        Assert.Equal(0, await service.StopAsync());

        Assert.Equal(["{__name__=\"process_cpu\", service_name=\"/shop\", team=\"blue\"}"], server.Pushes.Select(push => push.Labels.ToString()).Distinct());
        Assert.Contains(server.Pushes.SelectMany(push => push.Stacks().Keys), stack => stack.Contains("sort_rows", StringComparison.Ordinal) && stack.Contains("main", StringComparison.Ordinal));
        await docker.PostAsync($"containers/{id}/kill");
    }

    private async Task StartContainersAsync()
    {
        const string Idle = "/idle";
        await docker.PostAsync("networks/create", Network("front", "172.28.0.0/16"));
        await docker.PostAsync("networks/create", Network("back", "172.29.0.0/16"));
        await docker.RunAsync(
            "web",
            Idle,
            "front",
            new JsonObject
            {
                ["Labels"] = new JsonObject { ["com.example/team"] = "blue", ["tier"] = "front" },
                ["ExposedPorts"] = new JsonObject { ["80/tcp"] = new JsonObject(), ["81/tcp"] = new JsonObject(), ["82/udp"] = new JsonObject(), ["83/tcp"] = new JsonObject() },
            },
            new JsonObject
            {
                ["80/tcp"] = new JsonArray(new JsonObject { ["HostIp"] = "127.0.0.1", ["HostPort"] = "18080" }, new JsonObject { ["HostIp"] = "0.0.0.0", ["HostPort"] = "18081" }),
                ["82/udp"] = new JsonArray(new JsonObject { ["HostPort"] = "18082" }),
            });
        await docker.PostAsync("networks/back/connect", new JsonObject { ["Container"] = "web" });
        await docker.RunAsync("beside", Idle, "container:web");
        await docker.RunAsync("onhost", Idle, "host");
        await docker.RunAsync("alone", Idle, "none");
        await docker.RunAsync("plain", Idle);
    }

    private static JsonObject Network(string name, string subnet) => new()
    {
        ["Name"] = name,
        ["Labels"] = new JsonObject { ["zone.of/net"] = name },
        ["IPAM"] = new JsonObject { ["Config"] = new JsonArray(new JsonObject { ["Subnet"] = subnet }) },
    };

    private async Task StartSwarmAsync()
    {
        await docker.PostAsync("swarm/init", new JsonObject { ["AdvertiseAddr"] = "127.0.0.1", ["ListenAddr"] = "127.0.0.1:2377" });
        await CreateServiceAsync("onhost", new JsonObject { ["Global"] = new JsonObject() }, "host", new JsonObject { ["Mode"] = "dnsrr" });
        await CreateServiceAsync("hostport", new JsonObject { ["Replicated"] = new JsonObject { ["Replicas"] = 1 } }, "", new JsonObject
        {
            ["Ports"] = new JsonArray(new JsonObject { ["Protocol"] = "tcp", ["TargetPort"] = 80, ["PublishedPort"] = 18180, ["PublishMode"] = "host", ["Name"] = "http" }),
        });
        await CreateServiceAsync("published", new JsonObject { ["Replicated"] = new JsonObject { ["Replicas"] = 1 } }, "", new JsonObject
        {
            ["Ports"] = new JsonArray(
                new JsonObject { ["Protocol"] = "tcp", ["TargetPort"] = 80, ["PublishedPort"] = 18280, ["Name"] = "http" },
                new JsonObject { ["Protocol"] = "udp", ["TargetPort"] = 81, ["PublishedPort"] = 18281 }),
        });

        // A kernel without VXLAN refuses the task of the published one, which has its addresses all the same.
        await Poll.UntilAsync(
            async () => (await docker.GetAsync("tasks")).AsArray().Select(task => (string?)task!["Status"]!["State"]).ToList() is { Count: 3 } states
                && states.TrueForAll(state => state is "running" or "failed" or "rejected"), _patience, () => "the tasks of the services run");
    }

    private async Task CreateServiceAsync(string name, JsonObject mode, string network, JsonObject? endpoint) => await docker.PostAsync("services/create", new JsonObject
    {
        ["Name"] = name,
        ["Labels"] = new JsonObject { ["of.service"] = "yes" },
        ["Mode"] = mode,
        ["EndpointSpec"] = endpoint,
        ["TaskTemplate"] = new JsonObject
        {
            ["RestartPolicy"] = new JsonObject { ["Condition"] = "none" },
            ["ContainerSpec"] = new JsonObject
            {
                ["Image"] = "busy:1",
                ["Command"] = new JsonArray("/idle"),
                ["Labels"] = new JsonObject { ["of.container"] = "yes" },
                ["StopSignal"] = "SIGKILL",
            },
            ["Networks"] = network.Length > 0 ? new JsonArray(new JsonObject { ["Target"] = network }) : null,
        },
    });

    /// <summary>Targets as text, ours with an address and those of Prometheus.</summary>
    private async Task<(string Found, string Expected)> BothAsync(IDiscovery discovery, string kind, string more)
    {
        var config = Path.Combine(_data.Path, $"{kind}.yml");
        await File.WriteAllTextAsync(config, $"scrape_configs:\n  - job_name: x\n    {kind}_sd_configs:\n      - host: {docker.Host}\n{more}");
        using var promtool = Process.Start(new ProcessStartInfo("promtool", ["check", "service-discovery", "--timeout", "2s", config, "x"]) { RedirectStandardOutput = true })!;
        var output = await promtool.StandardOutput.ReadToEndAsync();
        await promtool.WaitForExitAsync();
        Assert.True(promtool.ExitCode == 0, output);
        var expected = JsonNode.Parse(output)!.AsArray().Select(target => LabelSet.From(
            target!["discoveredLabels"]!.AsObject().Where(label => !_ofJob.Contains(label.Key)).Select(label => new LabelPair(label.Key, (string)label.Value!))));
        var found = (await FindAsync(discovery)).Where(target => target.Contains("__address__") && !IsOfSharedNetwork(target)).Select(target => target.Where(name => !_newer.Contains(name)));
        return (Text(found), Text(expected));
    }

    /// <summary>Prometheus finds these too, after 2.42.</summary>
    private static bool IsOfSharedNetwork(LabelSet target) => target["__meta_docker_container_network_mode"].StartsWith("container:", StringComparison.Ordinal);

    private static async Task<IReadOnlyList<LabelSet>> FindAsync(IDiscovery discovery)
    {
        using var late = new CancellationTokenSource(_patience);
        await using var found = discovery.FindAsync(TimeProvider.System, late.Token).GetAsyncEnumerator(late.Token);
        Assert.True(await found.MoveNextAsync());
        return found.Current;
    }

    /// <summary>promtool says equal targets once.</summary>
    private static string Text(IEnumerable<LabelSet> targets) =>
        string.Join("\n\n", targets.Select(target => string.Join('\n', target.Select(label => $"{label.Name}={label.Value}"))).Distinct().Order(StringComparer.Ordinal));

    private static string[] Lines(string text) => text.Split('\n');
}
