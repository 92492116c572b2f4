using System.Text.Json.Nodes;
using ActorProfiler.Collector.Targets.Discovery.Kubernetes;
using ActorProfiler.Labels;

namespace ActorProfiler.Tests.Targets.Discovery;

/// <summary>The targets of one cluster against those that Prometheus makes of the same objects.</summary>
/// <remarks>testdata/kubernetes holds both; tests/oracles/kubernetes/run.sh writes what Prometheus says anew.</remarks>
public sealed class KubernetesOracleTests
{
    public static TheoryData<string, bool> Roles => new(
        from role in new[] { "pod", "node", "service", "endpoints", "endpointslice", "ingress" }
        from attached in new[] { false, true }
        select (role, attached));

    [Theory]
    [MemberData(nameof(Roles))]
    public async Task Finds_what_Prometheus_finds(string role, bool attached)
    {
        await using var cluster = await FakeKubernetes.StartAsync(FakeKubernetes.Recorded());
        var discovery = new KubernetesDiscovery { Role = role, ApiServer = cluster.Url, NodeName = "", Attach = new() { Node = attached, Namespace = attached } };
        await using var found = discovery.FindAsync(TimeProvider.System, CancellationToken.None).GetAsyncEnumerator();
        Assert.True(await found.MoveNextAsync());

        Assert.Equal(Lines(Expected($"{role}{(attached ? "-attached" : "")}.json")), Lines(found.Current));
    }

    private static IEnumerable<LabelSet> Expected(string file) =>
        JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "testdata/kubernetes", file)))!.AsArray()
            .Select(target => LabelSet.From(target!.AsObject().Select(label => new LabelPair(label.Key, (string)label.Value!))));

    private static string Lines(IEnumerable<LabelSet> targets) =>
        string.Join("\n\n", targets.Select(target => string.Join('\n', target.Select(label => $"{label.Name}={label.Value}"))).Order(StringComparer.Ordinal));
}
