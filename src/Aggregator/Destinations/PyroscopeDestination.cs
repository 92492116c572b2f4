using System.Globalization;
using System.Net.Http.Headers;
using ActorProfiler.Aggregator.Destinations.Wire;
using ActorProfiler.Aggregator.Pprof;
using ActorProfiler.Configuration.Relabeling;
using ActorProfiler.Http;
using ActorProfiler.Labels;
using Google.Protobuf;

namespace ActorProfiler.Aggregator.Destinations;

/// <summary>Pushes profiles to a Pyroscope server or Grafana Cloud, one series a request.</summary>
/// <remarks>Unary Connect protocol, https://connectrpc.com/docs/protocol/; one series because a server answers for all series at once.</remarks>
internal sealed class PyroscopeDestination : IDestination, IDisposable
{
    /// <summary>Most that is read of an answer.</summary>
    private const int BodyLimit = 64 << 10;

    private readonly PyroscopeWriteOptions _options;
    private readonly HttpClient _http;
    private readonly TimeProvider _clock;
    private readonly Uri _push;

    public PyroscopeDestination(PyroscopeWriteOptions options, TimeProvider clock)
    {
        _options = options;
        _clock = clock;
        _push = new Uri(options.Endpoint + "/push.v1.PusherService/Push");
        _http = HttpClients.Create(options.Http, options.RemoteTimeout, clock);
    }

    public string Name => _options.Name.Length > 0 ? _options.Name : _options.Endpoint;

    public string Endpoint => _options.Endpoint;

    public LabelSet? SeriesOf(LabelSet series) => LabelsOf(series)?.Where(name => !_options.ExternalLabels.Contains(name));

    public async Task<WriteOutcome> WriteAsync(EncodedProfile profile, CancellationToken cancellation)
    {
        var tenant = profile.Labels[LabelNames.Tenant];
        if (!Tenants.IsValid(tenant))
        {
            return new WriteOutcome(WriteOutcome.Verdict.Rejected, "invalid_tenant", $"'{Tenants.Shown(tenant)}' cannot be a tenant: {Tenants.Rule}");
        }

        if (LabelsOf(profile.Labels) is not { } labels)
        {
            return new WriteOutcome(WriteOutcome.Verdict.LeftOut, "relabel", "a relabel rule drops it");
        }

        using var request = Request(profile, labels, tenant);
        using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation).ConfigureAwait(false);
        var body = await ReadBodyAsync(response, cancellation).ConfigureAwait(false);

        var outcome = PushResponses.Classify(new PushAnswer(
            (int)response.StatusCode,
            response.Content.Headers.ContentType?.MediaType ?? "",
            body,
            RetryAfter(response)));
        return outcome.What == WriteOutcome.Verdict.RateLimited && !_options.RetryOn429
            ? outcome with { What = WriteOutcome.Verdict.LeftOut, Reason = "rate_limited" }
            : outcome;
    }

    public void Dispose() => _http.Dispose();

    /// <summary>The labels as sent: those of the protocol left out, sorted by name.</summary>
    internal static LabelSet LabelsOf(LabelSet series, LabelSet external) =>
        series.Where(name => name is not (LabelNames.Tenant or LabelNames.Origin) && LabelNames.IsOfSeries(name)).With(external);

    /// <summary>The labels to send: after the first route that keeps them, or null.</summary>
    private LabelSet? LabelsOf(LabelSet series) =>
        _options.Routes.Select(route => Relabeler.Apply(route, series)).FirstOrDefault(labels => labels is { Count: > 0 }) is { } kept
            ? LabelsOf(kept, _options.ExternalLabels)
            : null;

    private HttpRequestMessage Request(EncodedProfile profile, LabelSet labels, string tenant)
    {
        var series = new RawProfileSeries { Samples = { new RawSample { RawProfile = UnsafeByteOperations.UnsafeWrap(profile.Pprof) } } };
        series.Labels.AddRange(labels.Select(pair => new Wire.LabelPair { Name = pair.Name, Value = pair.Value }));
        var content = new ByteArrayContent(new PushRequest { Series = { series } }.ToByteArray());
        content.Headers.ContentType = new MediaTypeHeaderValue("application/proto");

        var request = new HttpRequestMessage(HttpMethod.Post, _push) { Content = content };
        request.Headers.Add("Connect-Protocol-Version", "1");
        request.Headers.Add("Connect-Timeout-Ms", ((long)_options.RemoteTimeout.TotalMilliseconds).ToString(CultureInfo.InvariantCulture));
        request.Headers.UserAgent.ParseAdd("ActorProfiler/" + typeof(PyroscopeDestination).Assembly.GetName().Version!.ToString(3));
        foreach (var (name, value) in _options.Headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        if (tenant.Length > 0)
        {
            request.Headers.Remove(Tenants.Header);
            request.Headers.Add(Tenants.Header, tenant);
        }

        return request;
    }

    private static async Task<byte[]> ReadBodyAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        using var stream = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        var buffer = new byte[BodyLimit];
        var length = await stream.ReadAtLeastAsync(buffer, BodyLimit, throwOnEndOfStream: false, cancellation).ConfigureAwait(false);
        return buffer[..length];
    }

    private TimeSpan? RetryAfter(HttpResponseMessage response)
    {
        var asked = response.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - _clock.GetUtcNow(),
            _ => TimeSpan.Zero,
        };
        return asked > TimeSpan.Zero ? asked : null;
    }
}
