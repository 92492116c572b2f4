using System.Collections.Immutable;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using ActorProfiler.Collector.Targets.Discovery.Kubernetes;
using ActorProfiler.Http;
using ActorProfiler.Labels;

namespace ActorProfiler.Tests.Targets.Discovery;

/// <summary>How a cluster is asked, and how its changes are followed.</summary>
public sealed class KubernetesDiscoveryTests : IAsyncLifetime
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);

    private readonly CancellationTokenSource _late = new(_patience);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("kubernetes-");
    private FakeKubernetes _cluster = null!;

    private string TokenFile => Path.Combine(_folder.FullName, "token");

    public async ValueTask InitializeAsync() => _cluster = await FakeKubernetes.StartAsync(FakeKubernetes.Recorded());

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        _late.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Follows_the_changes_of_pods()
    {
        await using var found = Search(new KubernetesDiscovery { Role = "pod", ApiServer = _cluster.Url, NodeName = "" });
        Assert.True(await found.MoveNextAsync());
        Assert.Contains(found.Current, target => target["__meta_kubernetes_pod_name"] == "web-6d4b-1");
        var pod = _cluster.Find("pods", "web-6d4b-1");

        await WatchesAsync(1);
        pod["status"]!["podIP"] = "10.9.9.9";
        _cluster.Change("pods", "MODIFIED", pod);
        await UntilAsync(found, targets => targets.Any(target => target["__address__"] == "10.9.9.9:8080"));

        _cluster.Change("pods", "DELETED", pod);
        await UntilAsync(found, targets => targets.All(target => target["__meta_kubernetes_pod_name"] != "web-6d4b-1"));
        Assert.Single(_cluster.Asked, url => !url.Contains("watch=true", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Lists_anew_when_its_version_is_too_old()
    {
        await using var found = Search(new KubernetesDiscovery { Role = "node", ApiServer = _cluster.Url });
        Assert.True(await found.MoveNextAsync());
        await WatchesAsync(1);

        _cluster.EndWatches(); // what happens now is not told
        await WatchesAsync(0);
        var node = _cluster.Find("nodes", "n1");
        node["metadata"]!["labels"]!["new"] = "yes";
        _cluster.Change("nodes", "MODIFIED", node);
        await WatchesAsync(1);
        _cluster.Expire("nodes");

        await UntilAsync(found, targets => targets.Any(target => target["__meta_kubernetes_node_label_new"] == "yes"));
        await WatchesAsync(1);
        Assert.Equal(2, _cluster.Asked.Count(url => !url.Contains("watch=true", StringComparison.Ordinal)));
        Assert.EndsWith("resourceVersion=101", _cluster.Asked[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Goes_on_where_it_was_when_a_watch_ends()
    {
        await using var found = Search(new KubernetesDiscovery { Role = "node", ApiServer = _cluster.Url });
        Assert.True(await found.MoveNextAsync());
        await WatchesAsync(1);
        var node = _cluster.Find("nodes", "n1");
        _cluster.Change("nodes", "DELETED", node);
        await UntilAsync(found, targets => targets.Length == 2);

        _cluster.EndWatches();
        await WatchesAsync(0);
        await WatchesAsync(1);
        _cluster.Change("nodes", "ADDED", node);

        await UntilAsync(found, targets => targets.Length == 3);
        Assert.Single(_cluster.Asked, url => !url.Contains("watch=true", StringComparison.Ordinal));
        Assert.EndsWith("resourceVersion=101", _cluster.Asked[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reads_itsToken_anew_for_each_request()
    {
        await File.WriteAllTextAsync(TokenFile, "first\n");
        _cluster.Token = "first";
        await using var found = Search(new KubernetesDiscovery { Role = "node", ApiServer = _cluster.Url, Http = new HttpClientOptions { BearerTokenFile = TokenFile } });
        Assert.True(await found.MoveNextAsync());
        await WatchesAsync(1);

        await File.WriteAllTextAsync(TokenFile, "second\n");
        _cluster.Token = "second";
        _cluster.EndWatches();

        await WatchesAsync(0);
        await WatchesAsync(1);
        Assert.Equal(3, _cluster.Asked.Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Trusts_only_the_authority_it_is_given(bool byKubeconfig)
    {
        using var certificate = TestCertificate.Make();
        await using var cluster = await FakeKubernetes.StartAsync(FakeKubernetes.Recorded(), certificate);
        cluster.Token = "secret";
        await File.WriteAllTextAsync(TokenFile, "secret");
        var file = Path.Combine(_folder.FullName, "file");
        await File.WriteAllTextAsync(file, byKubeconfig ? Kubeconfig(cluster.Url, certificate) : certificate.ExportCertificatePem());
        var trusting = byKubeconfig
            ? new KubernetesDiscovery { Role = "node", KubeconfigFile = file }
            : new KubernetesDiscovery { Role = "node", ApiServer = cluster.Url, Http = new HttpClientOptions { BearerTokenFile = TokenFile, Tls = new TlsOptions { CaFile = file } } };

        await using var found = Search(trusting);
        Assert.True(await found.MoveNextAsync());
        Assert.Equal(3, found.Current.Length);

        await using var refused = Search(new KubernetesDiscovery { Role = "node", ApiServer = cluster.Url });
        await Assert.ThrowsAsync<HttpRequestException>(async () => await refused.MoveNextAsync());
    }

    [Fact]
    public async Task A_pod_asks_the_API_of_its_cluster_as_its_service_account()
    {
        using var certificate = TestCertificate.Make();
        await using var cluster = await FakeKubernetes.StartAsync(FakeKubernetes.Recorded(), certificate);
        cluster.Token = "first";
        var account = await MountAsync(cluster, "first", certificate);
        await using var found = Search(new KubernetesDiscovery { Role = "service", Account = account, Namespaces = new() { Own = true } });
        Assert.True(await found.MoveNextAsync());
        Assert.Equal(["shop"], found.Current.Select(target => target["__meta_kubernetes_namespace"]).Distinct());

        // The kubelet exchanges the token while the pod runs.
        await UntilAsync(() => cluster.Watches == 1);
        await File.WriteAllTextAsync(TokenFile, "second");
        cluster.Token = "second";
        cluster.EndWatches();
        await UntilAsync(() => cluster.Asked.Count == 3 && cluster.Watches == 1);
        Assert.All(cluster.Asked, url => Assert.StartsWith("/api/v1/namespaces/shop/services?", url, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_pod_trusts_only_the_authority_of_its_cluster()
    {
        using var certificate = TestCertificate.Make();
        using var other = TestCertificate.Make();
        await using var cluster = await FakeKubernetes.StartAsync(FakeKubernetes.Recorded(), certificate);
        await using var refused = Search(new KubernetesDiscovery { Role = "node", Account = await MountAsync(cluster, "first", other) });

        await Assert.ThrowsAsync<HttpRequestException>(async () => await refused.MoveNextAsync());
        Assert.Empty(cluster.Asked);
    }

    [Theory]
    [InlineData("token", "token is not there: give the pod a service account")]
    [InlineData("ca.crt", "ca.crt is not there: give the pod a service account")]
    [InlineData("namespace", "own_namespace: read ")]
    [InlineData("", "this does not run in a cluster (KUBERNETES_SERVICE_HOST is not set)")]
    public async Task Says_what_a_pod_lacks_to_ask(string missing, string expected)
    {
        using var certificate = TestCertificate.Make();
        var account = await MountAsync(_cluster, "first", certificate);
        File.Delete(Path.Combine(_folder.FullName, missing.Length > 0 ? missing : "x"));
        await using var refused = Search(new KubernetesDiscovery
        {
            Role = "pod",
            Namespaces = new() { Own = true },
            Account = missing.Length > 0 ? account : account with { Host = "" },
        });

        var error = await Assert.ThrowsAsync<FormatException>(async () => await refused.MoveNextAsync());
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("10.0.0.1", "https://10.0.0.1:6443/")]
    [InlineData("fd00::1", "https://[fd00::1]:6443/")]
    public void The_address_of_the_API_is_that_of_the_environment(string host, string expected) =>
        Assert.Equal(expected, new ServiceAccount("/nowhere", host, "6443").Address.AbsoluteUri);

    [Theory]
    [InlineData("", "n1", "", "/api/v1/pods?fieldSelector=spec.nodeName%3Dn1")]
    [InlineData("", "", "", "/api/v1/pods?")]
    [InlineData("shop", "n1", "", "/api/v1/namespaces/shop/pods?fieldSelector=spec.nodeName%3Dn1")]
    [InlineData("shop", "n1", "app=web", "/api/v1/namespaces/shop/pods?labelSelector=app%3Dweb")]
    public async Task Asks_for_the_pods_of_its_own_node_unless_a_selector_says_otherwise(string inNamespace, string node, string label, string expected)
    {
        var discovery = new KubernetesDiscovery
        {
            Role = "pod",
            ApiServer = _cluster.Url,
            NodeName = node,
            Namespaces = new() { Names = inNamespace.Length > 0 ? [inNamespace] : [] },
            Selectors = label.Length > 0 ? [new() { Role = "pod", Label = label }] : [],
        };
        await using var found = Search(discovery);

        Assert.True(await found.MoveNextAsync());
        Assert.Equal(expected, _cluster.Asked[0]);
        Assert.Equal(expected.Contains("spec.nodeName", StringComparison.Ordinal), discovery.Remark.Contains("node n1 only", StringComparison.Ordinal));
    }

    private static string Kubeconfig(string url, X509Certificate2 authority) => $"""
        apiVersion: v1
        kind: Config
        current-context: here
        contexts:
          - name: elsewhere
            context:
              cluster: d
              user: u
          - name: here
            context:
              cluster: c
              user: u
        clusters:
          - name: c
            cluster:
              server: {url}
              certificate-authority-data: {Convert.ToBase64String(Encoding.UTF8.GetBytes(authority.ExportCertificatePem()))}
          - name: d
            cluster:
              server: https://127.0.0.1:9
        users:
          - name: u
            user:
              token: secret
        """;

    private IAsyncEnumerator<ImmutableArray<LabelSet>> Search(KubernetesDiscovery discovery) =>
        discovery.FindAsync(new HastyClock(), _late.Token).GetAsyncEnumerator(_late.Token);

    private static async Task UntilAsync(IAsyncEnumerator<ImmutableArray<LabelSet>> found, Func<ImmutableArray<LabelSet>, bool> condition)
    {
        while (!condition(found.Current))
        {
            Assert.True(await found.MoveNextAsync());
        }
    }

    /// <summary>What the kubelet mounts into a pod of the namespace "shop".</summary>
    private async Task<ServiceAccount> MountAsync(FakeKubernetes cluster, string token, X509Certificate2 authority)
    {
        await File.WriteAllTextAsync(TokenFile, token);
        await File.WriteAllTextAsync(Path.Combine(_folder.FullName, "namespace"), "shop");
        await File.WriteAllTextAsync(Path.Combine(_folder.FullName, "ca.crt"), authority.ExportCertificatePem());
        var url = new Uri(cluster.Url);
        return new ServiceAccount(_folder.FullName, url.Host, $"{url.Port}");
    }

    private Task WatchesAsync(int count) => UntilAsync(() => _cluster.Watches == count);

    private async Task UntilAsync(Func<bool> condition)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!condition())
        {
            await timer.WaitForNextTickAsync(_late.Token);
        }
    }

    /// <summary>Waits only a part of each time.</summary>
    private sealed class HastyClock : TimeProvider
    {
        private const int Haste = 20;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, dueTime > TimeSpan.Zero ? dueTime / Haste : dueTime, period);
    }
}
