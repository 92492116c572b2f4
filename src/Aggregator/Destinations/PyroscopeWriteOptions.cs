using System.Collections.Immutable;
using ActorProfiler.Configuration.Relabeling;
using ActorProfiler.Http;
using ActorProfiler.Labels;

namespace ActorProfiler.Aggregator.Destinations;

/// <summary>One <c>endpoint</c> of a <c>pyroscope.write</c>: arguments and defaults are named as there.</summary>
/// <remarks>https://grafana.com/docs/alloy/latest/reference/components/pyroscope/pyroscope.write/</remarks>
internal sealed record PyroscopeWriteOptions(Uri Url)
{
    /// <summary>Name in metrics and logs; without one, the URL without user and query.</summary>
    public string Name { get; init; } = "";

    public TimeSpan RemoteTimeout { get; init; } = TimeSpan.FromSeconds(10);

    public TimeSpan MinBackoffPeriod { get; init; } = TimeSpan.FromMilliseconds(500);

    public TimeSpan MaxBackoffPeriod { get; init; } = TimeSpan.FromMinutes(5);

    public int MaxBackoffRetries { get; init; } = 10;

    /// <summary>Sent with each request. A series' own tenant goes before an <c>X-Scope-OrgID</c> here.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>Credentials, TLS and proxy.</summary>
    public HttpClientOptions Http { get; init; } = new();

    /// <summary>False drops what the server refuses by 429.</summary>
    public bool RetryOn429 { get; init; } = true;

    /// <summary>Labels set over those of each series.</summary>
    public LabelSet ExternalLabels { get; init; } = LabelSet.Empty;

    /// <summary>Ways of <c>pyroscope.relabel</c> components that lead here, each a chain of rules: a profile is sent once for the first that keeps it.</summary>
    public ImmutableArray<ImmutableArray<RelabelRule>> Routes { get; init; } = [[]];

    /// <summary>The URL as it may be shown: without user, query and fragment.</summary>
    public string Endpoint => Url.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped).TrimEnd('/');

    public DestinationOptions Delivery => new()
    {
        RemoteTimeout = RemoteTimeout,
        MinBackoffPeriod = MinBackoffPeriod,
        MaxBackoffPeriod = MaxBackoffPeriod,
        MaxBackoffRetries = MaxBackoffRetries,
    };

    /// <summary>Without secrets.</summary>
    public override string ToString() => $"pyroscope.write endpoint {Endpoint}";
}
