using System.Collections.Immutable;
using ActorProfiler.Collector.Targets.Discovery;
using ActorProfiler.Labels;

namespace ActorProfiler.Tests.Targets.Discovery;

public sealed class DiscoveryTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("discovery-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Finds_this_process_with_all_its_labels()
    {
        var discovery = new ProcessDiscovery { Discover = new() { CgroupPath = true } };
        await using var found = discovery.FindAsync(TimeProvider.System, CancellationToken.None).GetAsyncEnumerator();
        Assert.True(await found.MoveNextAsync());

        var me = Assert.Single(found.Current, target => target["__process_pid__"] == $"{Environment.ProcessId}");
        Assert.Equal((Environment.ProcessPath, Environment.CurrentDirectory), (me["__meta_process_exe"], me["__meta_process_cwd"]));
        Assert.Equal(Environment.UserName, me["__meta_process_username"]);
        Assert.NotEmpty(me["__meta_process_cgroup_path"]);
    }

    [Fact]
    public void Joins_processes_to_their_containers_whose_labels_win()
    {
        LabelSet[] processes = [LabelSet.Of(("__process_pid__", "1"), ("__container_id__", "a"), ("x", "process")), LabelSet.Of(("__process_pid__", "2"))];
        ImmutableArray<LabelSet> join = [LabelSet.Of(("__meta_kubernetes_pod_container_id", "containerd://a"), ("x", "pod")), LabelSet.Of(("static", "1"))];

        Assert.Equal(
            [
                join[1],
                LabelSet.Of(("__process_pid__", "1"), ("__container_id__", "a"), ("x", "pod"), ("__meta_kubernetes_pod_container_id", "containerd://a")),
                processes[1],
                join[0],
            ],
            ProcessDiscovery.Joined(processes, join));
    }

    [Fact]
    public async Task Reads_files_of_targets_again_when_they_change()
    {
        var json = Path.Combine(_folder.FullName, "a.json");
        await File.WriteAllTextAsync(json, """[{"targets": ["h:1", "h:2"], "labels": {"__process_pid__": "7"}}]""");
        await File.WriteAllTextAsync(Path.Combine(_folder.FullName, "b.yml"), "- targets: [y]\n  labels: {team: blue}\n");
        var discovery = new FileDiscovery { Files = [Path.Combine(_folder.FullName, "*.json"), Path.Combine(_folder.FullName, "*.yml")] };
        await using var found = discovery.FindAsync(TimeProvider.System, CancellationToken.None).GetAsyncEnumerator();

        Assert.True(await found.MoveNextAsync());
        Assert.Equal(
            [
                LabelSet.Of(("__address__", "h:1"), ("__meta_filepath", json), ("__process_pid__", "7")),
                LabelSet.Of(("__address__", "h:2"), ("__meta_filepath", json), ("__process_pid__", "7")),
                LabelSet.Of(("__address__", "y"), ("__meta_filepath", Path.Combine(_folder.FullName, "b.yml")), ("team", "blue")),
            ],
            found.Current);

        File.Delete(json);
        Assert.True(await found.MoveNextAsync());
        Assert.Single(found.Current);
    }

    [Theory]
    [InlineData("{}", "expected a list of")]
    [InlineData("[{}]", "has no \"targets\"")]
    [InlineData("[1]", "should be object, got number")]
    [InlineData("[", "it is not JSON")]
    public void Says_what_is_wrong_with_a_file_of_targets(string text, string expected) =>
        Assert.Contains(expected, Assert.Throws<FormatException>(() => TargetGroups.ParseJson(text)).Message, StringComparison.Ordinal);
}
