using System.Text.Json.Nodes;
using ActorProfiler.Tests.Targets.Discovery;

namespace ActorProfiler.Tests.Run;

/// <summary>A process in the control group of a pod's container, from what an API server says of the pod to the pod's series.</summary>
public sealed class KubernetesTests : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly string _container = string.Concat(Enumerable.Range(0, 4).Select(_ => $"{Random.Shared.NextInt64():x16}"));
    private readonly TemporaryFolder _data = new();
    private DirectoryInfo? _group;

    public void Dispose()
    {
        _group?.Refresh();
        if (_group is { Exists: true })
        {
            Directory.Delete(_group.FullName); // a group is empty of files that can be deleted
        }

        _data.Dispose();
    }

    [Fact]
    public async Task A_pod_of_this_node_ends_in_its_series()
    {
        Requirements.Bpf();
        using var busy = TestPrograms.Start(TestPrograms.CompileC("split", "-O1"), "300");
        await PutIntoContainerAsync(busy.Pid);
        await using var cluster = await FakeKubernetes.StartAsync(new JsonObject { ["pods"] = new JsonArray(Pod("web-1", "n1", _container), Pod("web-2", "n2", new string('f', 64))) });
        await using var server = await FakePyroscope.StartAsync();
        var config = Path.Combine(_data.Path, "kubernetes.alloy");
        await File.WriteAllTextAsync(config, $$"""
            discovery.kubernetes "pods" {
              role       = "pod"
              api_server = "{{cluster.Url}}"
            }
            discovery.relabel "pods" {
              targets = discovery.kubernetes.pods.targets
              rule {
                source_labels = ["__meta_kubernetes_pod_name"]
                target_label  = "pod"
              }
            }
            pyroscope.ebpf "pods" {
              targets          = discovery.relabel.pods.output
              forward_to       = [pyroscope.aggregate.all.receiver]
              collect_interval = "1s"
            }
            {{ConfigText.AggregateTo(server.Url.ToString())}}
            """);
        using var service = ServiceProcess.StartWith(
            new Dictionary<string, string> { ["NODE_NAME"] = "n1" }, "run", config, "--data-dir", _data.Path, "--http.listen", "127.0.0.1:0");

        await Poll.UntilAsync(() => server.Pushes.Count > 0, _patience, () => service.Text);
        Assert.Equal(0, await service.StopAsync());

        Assert.Equal(["{__name__=\"process_cpu\", pod=\"web-1\", service_name=\"ebpf/shop/main\"}"], server.Pushes.Select(push => push.Labels.ToString()).Distinct());
        Assert.All(cluster.Asked, url => Assert.Contains("fieldSelector=spec.nodeName%3Dn1", url, StringComparison.Ordinal));
        Assert.Contains(service.Lines, line => line.Contains("asks for the pods of node n1 only", StringComparison.Ordinal));
    }

    private static JsonObject Pod(string name, string node, string container) => new()
    {
        ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = "shop", ["uid"] = name },
        ["spec"] = new JsonObject { ["nodeName"] = node, ["containers"] = new JsonArray(new JsonObject { ["name"] = "main", ["image"] = "web:1" }) },
        ["status"] = new JsonObject
        {
            ["phase"] = "Running",
            ["podIP"] = "10.0.0.5",
            ["containerStatuses"] = new JsonArray(new JsonObject { ["name"] = "main", ["containerID"] = $"containerd://{container}" }),
        },
    };

    private async Task PutIntoContainerAsync(int pid)
    {
        _group = Directory.CreateDirectory(Path.Combine(Requirements.CgroupV2(), $"ap-test-cri-containerd-{_container}.scope"));
        await File.WriteAllTextAsync(Path.Combine(_group.FullName, "cgroup.procs"), $"{pid}");
    }
}
