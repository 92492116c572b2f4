using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using ActorProfiler.Http;

namespace ActorProfiler.Collector.Targets.Discovery.Docker;

/// <summary>Asks a Docker daemon: by its socket, or over HTTP.</summary>
/// <remarks>https://docs.docker.com/reference/api/engine/. Plain JSON: the .NET client leaves the network mode out of its list of containers.</remarks>
internal sealed class DockerApi : IDisposable
{
    private const int BytesLimit = 64 << 20;

    private static readonly TimeSpan _timeout = TimeSpan.FromSeconds(30);

    private readonly HttpClient _http;
    private readonly TimeProvider _clock;

    public DockerApi(string host, HttpClientOptions options, TimeProvider clock)
    {
        _clock = clock;
        var address = new Uri(host);
        _http = address.Scheme == "unix"
            ? new HttpClient(new SocketsHttpHandler { ConnectCallback = (_, cancellation) => ConnectAsync(address.AbsolutePath, cancellation), UseProxy = false }) { BaseAddress = new Uri("http://docker/") }
            : HttpClients.Create(options, _timeout, clock);
        _http.BaseAddress ??= new UriBuilder(address) { Scheme = address.Scheme == "https" || options.Tls is not null ? "https" : "http" }.Uri;
    }

    /// <summary>An address such as <c>unix:///var/run/docker.sock</c> or <c>tcp://host:2375</c>.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static string Host(string text) => Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "unix" or "tcp" or "http" or "https"
        ? text
        : throw new FormatException("it is no address of a Docker daemon such as \"unix:///var/run/docker.sock\" or \"tcp://host:2375\"");

    /// <param name="path">Such as <c>containers/json</c>.</param>
    /// <param name="filters">As the API takes them; empty for all.</param>
    /// <exception cref="HttpRequestException">The daemon cannot be reached or refuses.</exception>
    public async Task<IReadOnlyList<JsonNode>> ListAsync(string path, IReadOnlyDictionary<string, IReadOnlyList<string>> filters, CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(_timeout, _clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellation, timeout.Token);
        var query = filters.Count == 0 ? "" : $"?filters={Uri.EscapeDataString(JsonSerializer.Serialize(filters))}";
        using var response = await _http.GetAsync(new Uri(path + query, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, both.Token).ConfigureAwait(false);
        await response.Content.LoadIntoBufferAsync(BytesLimit, both.Token).ConfigureAwait(false);
        var body = await response.Content.ReadAsStringAsync(both.Token).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode)
        {
            throw new HttpRequestException($"Docker answered {(int)response.StatusCode} to {path}: {body.Trim()}");
        }

        try
        {
            return [.. JsonNode.Parse(body)!.AsArray().OfType<JsonNode>()];
        }
        catch (Exception cause) when (cause is JsonException or InvalidOperationException)
        {
            throw new HttpRequestException($"Docker's answer to {path} is no JSON list", cause);
        }
    }

    public void Dispose() => _http.Dispose();

    private static async ValueTask<Stream> ConnectAsync(string path, CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (SocketException cause)
        {
            socket.Dispose();
            throw new IOException($"connect to the Docker socket {path}: {cause.Message}", cause);
        }
    }
}
