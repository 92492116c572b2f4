using System.Collections.Concurrent;
using ActorProfiler.Collector.Targets.Discovery.Kubernetes;
using ActorProfiler.Labels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace ActorProfiler.Tests.Targets.Discovery;

/// <summary>Against an API server that answers with what a real one answered.</summary>
public sealed class KubernetesDiscoveryTests : IAsyncLifetime
{
    private const string Pod =
        """
        {"metadata":{"name":"web-1","namespace":"shop","uid":"u1","resourceVersion":"7","labels":{"app.kubernetes.io/name":"web"},"annotations":{"pyroscope.io/service_name":"web"},
         "ownerReferences":[{"kind":"ReplicaSet","name":"web","controller":true}]},
         "spec":{"nodeName":"n1","containers":[{"name":"main","image":"web:1","ports":[{"name":"http","containerPort":8080,"protocol":"TCP"},{"containerPort":9090,"protocol":"TCP"}]},{"name":"side","image":"side:1"}],
                 "initContainers":[{"name":"setup","image":"setup:1"}]},
         "status":{"phase":"Running","podIP":"10.0.0.5","hostIP":"192.168.0.1","conditions":[{"type":"Ready","status":"True"}],
                   "containerStatuses":[{"name":"main","containerID":"containerd://aaa"},{"name":"side","containerID":"containerd://bbb"}],"initContainerStatuses":[{"name":"setup","containerID":"containerd://ccc"}]}}
        """;

    private readonly ConcurrentQueue<string> _asked = new();
    private readonly TaskCompletionSource _ended = new();
    private readonly TaskCompletionSource _deletes = new();
    private WebApplication _server = null!;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _server = builder.Build();
        _server.Run(AnswerAsync);
        await _server.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _ended.TrySetResult();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Makes_a_target_of_each_port_of_a_pod_and_follows_changes()
    {
        var discovery = new KubernetesDiscovery { Role = "pod", ApiServer = _server.Urls.Single(), Selectors = [new() { Role = "pod", Field = "spec.nodeName=n1" }] };
        await using var found = discovery.FindAsync(TimeProvider.System, CancellationToken.None).GetAsyncEnumerator();

        Assert.True(await found.MoveNextAsync());
        var targets = found.Current;
        Assert.Equal(["10.0.0.5:8080", "10.0.0.5:9090", "10.0.0.5", "10.0.0.5"], targets.Select(target => target["__address__"]));
        Assert.Equal(["containerd://aaa", "containerd://aaa", "containerd://bbb", "containerd://ccc"], targets.Select(target => target["__meta_kubernetes_pod_container_id"]));
        Assert.Equal(
            LabelSet.Of(
                ("__address__", "10.0.0.5:8080"),
                ("__meta_kubernetes_namespace", "shop"),
                ("__meta_kubernetes_pod_annotation_pyroscope_io_service_name", "web"),
                ("__meta_kubernetes_pod_annotationpresent_pyroscope_io_service_name", "true"),
                ("__meta_kubernetes_pod_container_id", "containerd://aaa"),
                ("__meta_kubernetes_pod_container_image", "web:1"),
                ("__meta_kubernetes_pod_container_init", "false"),
                ("__meta_kubernetes_pod_container_name", "main"),
                ("__meta_kubernetes_pod_container_port_name", "http"),
                ("__meta_kubernetes_pod_container_port_number", "8080"),
                ("__meta_kubernetes_pod_container_port_protocol", "TCP"),
                ("__meta_kubernetes_pod_controller_kind", "ReplicaSet"),
                ("__meta_kubernetes_pod_controller_name", "web"),
                ("__meta_kubernetes_pod_host_ip", "192.168.0.1"),
                ("__meta_kubernetes_pod_ip", "10.0.0.5"),
                ("__meta_kubernetes_pod_label_app_kubernetes_io_name", "web"),
                ("__meta_kubernetes_pod_labelpresent_app_kubernetes_io_name", "true"),
                ("__meta_kubernetes_pod_name", "web-1"),
                ("__meta_kubernetes_pod_node_name", "n1"),
                ("__meta_kubernetes_pod_phase", "Running"),
                ("__meta_kubernetes_pod_ready", "true"),
                ("__meta_kubernetes_pod_uid", "u1")),
            targets[0]);

        _deletes.SetResult();
        do
        {
            Assert.True(await found.MoveNextAsync());
        }
        while (found.Current.Length > 0);
        Assert.Contains(_asked, url => url.StartsWith("/api/v1/pods?fieldSelector=spec.nodeName%3Dn1&watch=true", StringComparison.Ordinal) && url.EndsWith("resourceVersion=7", StringComparison.Ordinal));
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var url = $"{context.Request.Path}{context.Request.QueryString}";
        _asked.Enqueue(url);
        context.Response.ContentType = "application/json";
        if (!url.Contains("watch=true", StringComparison.Ordinal))
        {
            await context.Response.WriteAsync($$"""{"metadata":{"resourceVersion":"7"},"items":[{{Pod}}]}""");
            return;
        }

        await _deletes.Task;
        await context.Response.WriteAsync($$"""{"type":"DELETED","object":{{Pod.ReplaceLineEndings("")}}}""" + "\n");
        await context.Response.Body.FlushAsync();
        await _ended.Task;
    }
}
