using System.Collections.Concurrent;
using System.IO.Compression;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using ActorProfiler.Aggregator.Destinations.Wire;
using ActorProfiler.Labels;
using ActorProfiler.Pprof;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Profile = ActorProfiler.Pprof.Profile;

namespace ActorProfiler.Tests;

/// <summary>A push endpoint on loopback that refuses what a Pyroscope server refuses with its default limits, and keeps what it takes.</summary>
/// <remarks>Rules: https://github.com/grafana/pyroscope/blob/main/pkg/validation/validate.go.</remarks>
internal sealed class FakePyroscope : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<PushedProfile> _pushes = new();
    private readonly ConcurrentQueue<string> _refusals = new();

    private FakePyroscope(WebApplication app) => _app = app;

    /// <summary>Answers in the server's place; null lets the server answer.</summary>
    public Func<HttpContext, Task<bool>> Intercept { get; set; } = _ => Task.FromResult(false);

    /// <summary>True: what it has stored is not answered, and the connection is cut.</summary>
    public Func<HttpContext, bool> CutsAnswer { get; set; } = _ => false;

    public Uri Url => new(_app.Urls.Single());

    /// <summary>Everything taken, in order of arrival, repeats included.</summary>
    public IReadOnlyList<PushedProfile> Pushes => [.. _pushes];

    /// <summary>What a query would find: of two pushes with the same labels and millisecond, the first.</summary>
    public IReadOnlyList<PushedProfile> Stored => [.. _pushes.DistinctBy(push => (push.Labels, push.Profile.TimeNanos / 1_000_000))];

    /// <summary>Messages of the refusals.</summary>
    public IReadOnlyList<string> Refusals => [.. _refusals];

    /// <summary>Σ values of what a query would find.</summary>
    public long StoredNanos => Stored.Sum(push => push.Profile.Sample.Sum(sample => sample.Value[0]));

    /// <summary>Σ ticks of what a query would find, where one rate was sampled at: a profile of two rates states the shorter period, its values are nanoseconds of either.</summary>
    public long StoredTicks => Stored.Sum(push => push.Profile.Sample.Sum(sample => sample.Value[0]) / push.Profile.Period);

    /// <param name="address">Where it listens; port 0 is any free one.</param>
    /// <param name="certificate">With one, it speaks TLS.</param>
    public static async Task<FakePyroscope> StartAsync(string address = "127.0.0.1:0", X509Certificate2? certificate = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"{(certificate is null ? "http" : "https")}://{address}");
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.ConfigureHttpsDefaults(https => https.ServerCertificate = certificate));
        var app = builder.Build();
        var server = new FakePyroscope(app);
        app.MapPost("/push.v1.PusherService/Push", server.PushAsync);
        await app.StartAsync();
        return server;
    }

    public static async Task AnswerAsync(HttpContext context, int status, string code, string message)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync($$"""{"code":"{{code}}","message":"{{message}}"}""");
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task PushAsync(HttpContext context)
    {
        if (await Intercept(context))
        {
            return;
        }

        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var request = PushRequest.Parser.ParseFrom(body.ToArray());
        foreach (var series in request.Series)
        {
            foreach (var sample in series.Samples)
            {
                if (Find(context, series, sample) is { } wrong)
                {
                    _refusals.Enqueue(wrong);
                    await AnswerAsync(context, 400, "invalid_argument", wrong);
                    return;
                }

                _pushes.Enqueue(new PushedProfile(Labels(series), Decode(sample), context.Request.Headers.ToDictionary(
                    header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase)));
            }
        }

        if (CutsAnswer(context))
        {
            context.Abort();
            return;
        }

        context.Response.ContentType = "application/proto";
    }

    private static LabelSet Labels(RawProfileSeries series) => LabelSet.Of([.. series.Labels.Select(label => (label.Name, label.Value))]);

    private static Profile Decode(RawSample sample)
    {
        using var gzip = new GZipStream(new MemoryStream(sample.RawProfile.ToByteArray()), CompressionMode.Decompress);
        return Profile.Parser.ParseFrom(gzip);
    }

    private static string? Find(HttpContext context, RawProfileSeries series, RawSample sample)
    {
        if (context.Request.ContentType != "application/proto" || context.Request.Headers["Connect-Protocol-Version"] != "1")
        {
            return "not a connect request";
        }

        var names = series.Labels.Select(label => label.Name).ToList();
        if (!names.SequenceEqual(names.Order(StringComparer.Ordinal)) || names.Distinct().Count() != names.Count)
        {
            return "labels are not sorted and unique";
        }

        if (!names.Contains("__name__"))
        {
            return "invalid metric name";
        }

        if (names.Count > 30 || series.Labels.Any(label => label.Name.Length > 1024 || label.Value.Length > 2048))
        {
            return "too many or too long labels";
        }

        return FindInProfile(Decode(sample));
    }

    private static string? FindInProfile(Profile profile)
    {
        if (profile.Sample.Count == 0)
        {
            return "empty profile";
        }

        if (profile.CalculateSize() > 2_000_000 || profile.Sample.Count > 16_000)
        {
            return "profile_size_limit";
        }

        if (profile.StringTable.Count == 0 || profile.StringTable[0].Length > 0)
        {
            return "string 0 should be empty string";
        }

        var (locations, functions) = (profile.Location.Select(location => location.Id).ToHashSet(), profile.Function.Select(function => function.Id).ToHashSet());
        var mappings = profile.Mapping.Select(mapping => mapping.Id).Append(0ul).ToHashSet();
        var sound = !locations.Contains(0) && !functions.Contains(0)
            && profile.Sample.All(sample => sample.Value.Count == profile.SampleType.Count && sample.LocationId.All(locations.Contains))
            && profile.Location.All(location => mappings.Contains(location.MappingId) && location.Line.All(line => functions.Contains(line.FunctionId)))
            && profile.Function.All(function => Text(function.Name) && Text(function.SystemName) && Text(function.Filename))
            && profile.Mapping.All(mapping => Text(mapping.Filename) && Text(mapping.BuildId));
        return sound ? null : "malformed_profile";

        bool Text(long index) => index >= 0 && index < profile.StringTable.Count;
    }
}

/// <param name="Headers">Of the request.</param>
internal sealed record PushedProfile(LabelSet Labels, Profile Profile, IReadOnlyDictionary<string, string> Headers)
{
    /// <summary>Timestamp of the system's clock at its arrival.</summary>
    public long Arrived { get; } = TimeProvider.System.GetTimestamp();

    /// <summary>Names of all functions in its stacks.</summary>
    public IEnumerable<string> Names() => Stacks().Keys.SelectMany(stack => stack.Split(';')).Distinct();

    /// <summary>Stacks as <c>leaf;…;root</c> with their values.</summary>
    public IReadOnlyDictionary<string, long> Stacks()
    {
        var locations = Profile.Location.ToDictionary(location => location.Id);
        var functions = Profile.Function.ToDictionary(function => function.Id);
        return Profile.Sample.GroupBy(Stack).ToDictionary(group => group.Key, group => group.Sum(sample => sample.Value[0]));

        string Stack(Sample sample) => string.Join(';', sample.LocationId
            .SelectMany(id => locations[id].Line)
            .Select(line => Profile.StringTable[(int)functions[line.FunctionId].Name]));
    }
}
