using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using ActorProfiler.Http;
using k8s;

namespace ActorProfiler.Collector.Targets.Discovery.Kubernetes;

/// <summary>Lists and watches objects of a cluster's API.</summary>
/// <remarks>https://kubernetes.io/docs/reference/using-api/api-concepts/. What a kubeconfig says is read by KubernetesClient.</remarks>
internal sealed class KubernetesApi : IDisposable
{
    private const int LineLimit = 16 << 20;
    private const int ListLimit = 512 << 20;

    private static readonly TimeSpan _connectTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Shorter than the API server's own bound, so that a dead connection is noticed.</summary>
    private static readonly TimeSpan _watchFor = TimeSpan.FromMinutes(4);

    /// <summary>Between two watches: a server that ends each at once is not to be flooded.</summary>
    private static readonly TimeSpan _pause = TimeSpan.FromSeconds(1);

    private readonly HttpClient _http;
    private readonly k8s.Kubernetes? _client;
    private readonly Uri _address;
    private readonly TimeProvider _clock;

    private KubernetesApi(HttpClient http, k8s.Kubernetes? client, Uri address, TimeProvider clock)
    {
        (_http, _client, _clock) = (http, client, clock);
        _address = address.AbsoluteUri.EndsWith('/') ? address : new Uri(address.AbsoluteUri + "/");
    }

    /// <exception cref="FormatException">There is no configuration of a cluster.</exception>
    public static KubernetesApi Open(KubernetesDiscovery options, TimeProvider clock)
    {
        if (options.ApiServer.Length > 0)
        {
            return new KubernetesApi(HttpClients.Create(options.Http, _connectTimeout, clock), null, new Uri(options.ApiServer), clock);
        }

        if (options.KubeconfigFile.Length == 0)
        {
            options.Account.Check();
            return new KubernetesApi(HttpClients.Create(options.Account.Http, _connectTimeout, clock), null, options.Account.Address, clock);
        }

        var client = new k8s.Kubernetes(KubernetesClientConfiguration.BuildConfigFromConfigFile(options.KubeconfigFile));
        client.HttpClient.Timeout = Timeout.InfiniteTimeSpan;
        return new KubernetesApi(client.HttpClient, client, client.BaseUri, clock);
    }

    /// <summary>Keeps the objects of a resource in <paramref name="store"/> until cancelled.</summary>
    /// <exception cref="HttpRequestException">The API cannot be reached or refuses.</exception>
    public async Task WatchAsync(KubernetesResource resource, KubernetesStore store, CancellationToken cancellation)
    {
        var version = "";
        while (true)
        {
            if (version.Length == 0)
            {
                version = await ListAsync(resource, store, cancellation).ConfigureAwait(false);
            }

            version = await FollowAsync(resource, store, version, cancellation).ConfigureAwait(false);
            await Task.Delay(_pause, _clock, cancellation).ConfigureAwait(false);
        }
    }

    public void Dispose()
    {
        _client?.Dispose();
        _http.Dispose();
    }

    private async Task<string> ListAsync(KubernetesResource resource, KubernetesStore store, CancellationToken cancellation)
    {
        using var response = await SendAsync(resource.Path, cancellation).ConfigureAwait(false);
        await response.Content.LoadIntoBufferAsync(ListLimit, cancellation).ConfigureAwait(false);
        var list = Parse(await response.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false));
        store.Replace(resource, [.. JsonLabels.Items(list["items"])]);
        return JsonLabels.Text(list, "metadata", "resourceVersion");
    }

    /// <returns>The version to go on from; "" when a new list is needed.</returns>
    private async Task<string> FollowAsync(KubernetesResource resource, KubernetesStore store, string version, CancellationToken cancellation)
    {
        using var over = new CancellationTokenSource(_watchFor + _connectTimeout, _clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellation, over.Token);
        try
        {
            using var response = await SendAsync($"{resource.Path}&watch=true&allowWatchBookmarks=true&timeoutSeconds={(int)_watchFor.TotalSeconds}&resourceVersion={version}", both.Token).ConfigureAwait(false);
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(both.Token).ConfigureAwait(false));
            while (await reader.ReadLineAsync(both.Token).ConfigureAwait(false) is { } line)
            {
                var happened = line.Length <= LineLimit ? Parse(line) : throw new HttpRequestException($"Kubernetes sent an event of {line.Length} characters");
                if (happened["object"] is not { } item || JsonLabels.Text(happened, "type") is "ERROR")
                {
                    return "";
                }

                version = JsonLabels.Text(item, "metadata", "resourceVersion");
                Take(resource, store, JsonLabels.Text(happened, "type"), item.DeepClone());
            }
        }
        catch (HttpRequestException gone) when (gone.StatusCode == HttpStatusCode.Gone)
        {
            return "";
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return ""; // silent for too long
        }

        return version;
    }

    private static void Take(KubernetesResource resource, KubernetesStore store, string type, JsonNode item)
    {
        switch (type)
        {
            case "ADDED" or "MODIFIED":
                store.Set(resource, item);
                break;
            case "DELETED":
                store.Remove(resource, item);
                break;
        }
    }

    private async Task<HttpResponseMessage> SendAsync(string path, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_address, path));
        if (_client?.Credentials is { } credentials)
        {
            await credentials.ProcessHttpRequestAsync(request, cancellation).ConfigureAwait(false);
        }

        var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation).ConfigureAwait(false);
        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            throw new HttpRequestException($"Kubernetes answered {(int)response.StatusCode} to {path.Split('?')[0]}{(response.StatusCode == HttpStatusCode.Forbidden ? ": the service account needs get, list and watch" : "")}", null, response.StatusCode);
        }
    }

    private static JsonNode Parse(string text)
    {
        try
        {
            return JsonNode.Parse(text) ?? throw new HttpRequestException("Kubernetes sent nothing");
        }
        catch (JsonException cause)
        {
            throw new HttpRequestException("Kubernetes sent no JSON", cause);
        }
    }
}
