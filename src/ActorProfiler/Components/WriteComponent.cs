using System.Collections.Immutable;
using ActorProfiler.Aggregator.Destinations;
using ActorProfiler.Configuration.Components;
using ActorProfiler.Configuration.Decoding;
using ActorProfiler.Configuration.Evaluation;
using ActorProfiler.Http;
using ActorProfiler.Labels;

namespace ActorProfiler.Commands.Components;

/// <summary><c>pyroscope.write</c>: pushes profiles to Pyroscope servers.</summary>
internal sealed record WriteComponent
{
    private static readonly TimeSpan _longest = TimeSpan.FromHours(1);

    private static readonly ArgumentType<TimeSpan> _timeout = ArgumentTypes.Duration(TimeSpan.FromMilliseconds(100), _longest);

    private static readonly BlockSchema<PyroscopeWriteOptions> _endpoint = HttpClientSchema.AddTo(
        new BlockSchema<PyroscopeWriteOptions>(() => new PyroscopeWriteOptions(new Uri("http://unset/")))
            .Required("url", ArgumentTypes.Parsed("string", HttpClientSchema.Url, text => text), (options, value) => options with { Url = new Uri(value) }, "Where profiles are pushed to: the address of the server, without the path of its API.")
            .Optional("name", ArgumentTypes.Text, options => options.Name, (options, value) => options with { Name = value }, "Name in metrics and logs; without one, the URL.")
            .Optional("remote_timeout", _timeout, options => options.RemoteTimeout, (options, value) => options with { RemoteTimeout = value }, "Longest wait for one attempt.")
            .Optional("headers", ArgumentTypes.Map(ArgumentTypes.Secret), _ => default, (options, value) => options with { Headers = Reveal(value) }, "Headers sent with each push, such as `X-Scope-OrgID`.")
            .Optional("min_backoff_period", _timeout, options => options.MinBackoffPeriod, (options, value) => options with { MinBackoffPeriod = value }, "First wait between attempts; it doubles.")
            .Optional("max_backoff_period", _timeout, options => options.MaxBackoffPeriod, (options, value) => options with { MaxBackoffPeriod = value }, "Longest wait between attempts; more than 10s counts as 10s, unless `min_backoff_period` is longer.")
            .Optional("max_backoff_retries", ArgumentTypes.Integer(0, 1000), options => options.MaxBackoffRetries, (options, value) => options with { MaxBackoffRetries = value }, "Attempts in a row; 0 is without end. After them a profile waits in the outbox for its next turn: it is not dropped.")
            .Optional("retry_on_http_429", ArgumentTypes.Bool, options => options.RetryOn429, (options, value) => options with { RetryOn429 = value }, "Tries again what the server refused by 429.")
            .Ignored("debug_info_upload_timeout", ArgumentTypes.Duration(TimeSpan.Zero, TimeSpan.MaxValue), "debug files are not uploaded"),
        options => options.Http,
        (options, http) => options with { Http = http })
        .Check(options =>
        {
            if (options.MinBackoffPeriod > options.MaxBackoffPeriod)
            {
                throw new FormatException("min_backoff_period is longer than max_backoff_period");
            }
        });

    public static readonly IComponentType Type = new ComponentType<WriteComponent>(
        "pyroscope.write",
        "Pushes profiles to Pyroscope servers or Grafana Cloud. Every endpoint gets every profile; one that is down delays no other and loses nothing for an hour.",
        new BlockSchema<WriteComponent>(() => new(), LabelRule.Required)
            .Optional("external_labels", ArgumentTypes.Labels, options => options.ExternalLabels, (options, value) => options with { ExternalLabels = value }, "Labels set on every profile, over those it has.")
            .Blocks("endpoint", _endpoint, (options, endpoints) => options with { Endpoints = [.. endpoints] }, "A server.")
            .Block("tracing", new BlockSchema<bool>(() => true)
                .Ignored("jaeger_propagator", ArgumentTypes.Bool, "pushes carry no traces")
                .Ignored("trace_context_propagator", ArgumentTypes.Bool, "pushes carry no traces"), (options, _) => options, "Accepted; pushes carry no traces."))
        .Exporting(Receiver.Exports, (id, options, _) => new WriteReceiver(id, options.WithExternalLabels()).AsExport());

    public LabelSet ExternalLabels { get; init; } = LabelSet.Empty;

    public ImmutableArray<PyroscopeWriteOptions> Endpoints { get; init; } = [];

    /// <summary>The endpoints, each with the labels of the block.</summary>
    public ImmutableArray<PyroscopeWriteOptions> WithExternalLabels() => [.. Endpoints.Select(endpoint => endpoint with { ExternalLabels = ExternalLabels })];

    private static Dictionary<string, string> Reveal(ImmutableSortedDictionary<string, SecretValue> headers) =>
        headers.ToDictionary(header => header.Key, header => header.Value.Reveal(), StringComparer.OrdinalIgnoreCase);
}
