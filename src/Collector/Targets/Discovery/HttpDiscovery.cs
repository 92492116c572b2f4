using System.Collections.Immutable;
using System.Net;
using ActorProfiler.Configuration.Components;
using ActorProfiler.Configuration.Decoding;
using ActorProfiler.Http;
using ActorProfiler.Labels;

namespace ActorProfiler.Collector.Targets.Discovery;

/// <summary><c>discovery.http</c>: targets that a server lists as JSON.</summary>
internal sealed record HttpDiscovery : IDiscovery
{
    private const int BytesLimit = 64 << 20;

    private static readonly TimeSpan _connectTimeout = TimeSpan.FromSeconds(10);

    public static readonly IComponentType Type = DiscoveryExports.Of(new ComponentType<HttpDiscovery>(
        "discovery.http",
        "Asks a server for targets.",
        HttpClientSchema.AddTo(
            new BlockSchema<HttpDiscovery>(() => new(), LabelRule.Required)
                .Required("url", ArgumentTypes.Parsed("string", HttpClientSchema.Url, text => text), (options, value) => options with { Url = value }, "Answers with a JSON list of `{\"targets\": […], \"labels\": {…}}` as `application/json`.")
                .Optional("refresh_interval", DiscoveryExports.Interval, options => options.RefreshInterval, (options, value) => options with { RefreshInterval = value }, "How often it is asked."),
            options => options.Http,
            (options, http) => options with { Http = http })));

    public string Url { get; init; } = "";

    public TimeSpan RefreshInterval { get; init; } = TimeSpan.FromSeconds(60);

    public HttpClientOptions Http { get; init; } = new();

    public IAsyncEnumerable<ImmutableArray<LabelSet>> FindAsync(TimeProvider clock, CancellationToken cancellation) =>
        Polling.EveryAsync(RefreshInterval, () => HttpClients.Create(Http, _connectTimeout, clock), (http, token) => AskAsync(http, clock, token), clock, cancellation);

    private async Task<ImmutableArray<LabelSet>> AskAsync(HttpClient http, TimeProvider clock, CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(RefreshInterval > _connectTimeout ? RefreshInterval : _connectTimeout, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellation, timeout.Token);
        using var response = await http.GetAsync(Url, HttpCompletionOption.ResponseHeadersRead, both.Token).ConfigureAwait(false);
        if (response.StatusCode != HttpStatusCode.OK)
        {
            throw new FormatException($"the server answered {(int)response.StatusCode}, expected 200");
        }

        if (response.Content.Headers.ContentType?.MediaType != "application/json")
        {
            throw new FormatException($"the server answered with content type \"{response.Content.Headers.ContentType}\", expected application/json");
        }

        await response.Content.LoadIntoBufferAsync(BytesLimit, both.Token).ConfigureAwait(false);
        var groups = TargetGroups.ParseJson(await response.Content.ReadAsStringAsync(both.Token).ConfigureAwait(false));
        return [.. groups.Select(target => target.With("__meta_url", Url))];
    }
}
