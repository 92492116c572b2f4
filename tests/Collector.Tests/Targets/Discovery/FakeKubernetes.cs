using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace ActorProfiler.Tests.Targets.Discovery;

/// <summary>The API server of a small cluster: lists and watches with selectors, as a real one answers.</summary>
internal sealed class FakeKubernetes : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly JsonObject _objects;
    private readonly ConcurrentDictionary<Channel<string>, string> _watches = new();
    private readonly ConcurrentQueue<string> _asked = new();
    private int _version = 100;

    private FakeKubernetes(WebApplication app, JsonObject objects) => (_app, _objects) = (app, objects);

    public string Url => _app.Urls.Single();

    /// <summary>Path and query of every request.</summary>
    public IReadOnlyList<string> Asked => [.. _asked];

    /// <summary>Watches that are open.</summary>
    public int Watches => _watches.Count;

    /// <summary>Refused without it, unless it is "".</summary>
    public string Token { get; set; } = "";

    /// <param name="objects">By plural.</param>
    /// <param name="certificate">With one, it speaks TLS.</param>
    public static async Task<FakeKubernetes> StartAsync(JsonObject objects, X509Certificate2? certificate = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"{(certificate is null ? "http" : "https")}://127.0.0.1:0");
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.ConfigureHttpsDefaults(https => https.ServerCertificate = certificate));
        var app = builder.Build();
        var server = new FakeKubernetes(app, objects);
        app.MapGet("/version", () => Results.Json(new { major = "1", minor = "28", gitVersion = "v1.28.0" }));
        app.MapFallback(server.AnswerAsync);
        await app.StartAsync();
        return server;
    }

    /// <summary>The objects of the recorded cluster.</summary>
    public static JsonObject Recorded() => JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "testdata/kubernetes/objects.json")))!.AsObject();

    /// <summary>A copy of an object.</summary>
    public JsonNode Find(string plural, string name)
    {
        lock (_objects)
        {
            return _objects[plural]!.AsArray().First(item => (string?)item!["metadata"]!["name"] == name)!.DeepClone();
        }
    }

    /// <summary>Changes an object and tells all watches of its kind.</summary>
    /// <param name="type">ADDED, MODIFIED or DELETED.</param>
    public void Change(string plural, string type, JsonNode changed)
    {
        changed["metadata"]!["resourceVersion"] = $"{Interlocked.Increment(ref _version)}";
        lock (_objects)
        {
            var list = _objects[plural]!.AsArray();
            list.RemoveAll(item => NameOf(item!) == NameOf(changed));
            if (type != "DELETED")
            {
                list.Add(changed.DeepClone());
            }
        }

        Tell(plural, new JsonObject { ["type"] = type, ["object"] = changed.DeepClone() });
    }

    /// <summary>Says that the versions of all watches of a kind are too old.</summary>
    public void Expire(string plural) => Tell(plural, new JsonObject
    {
        ["type"] = "ERROR",
        ["object"] = new JsonObject { ["kind"] = "Status", ["apiVersion"] = "v1", ["status"] = "Failure", ["reason"] = "Expired", ["code"] = 410 },
    });

    /// <summary>Ends all watches, as a restart of the server does.</summary>
    public void EndWatches()
    {
        foreach (var watch in _watches.Keys)
        {
            watch.Writer.TryComplete();
        }
    }

    public async ValueTask DisposeAsync()
    {
        EndWatches();
        await _app.DisposeAsync();
    }

    private void Tell(string plural, JsonObject happened)
    {
        foreach (var (watch, _) in _watches.Where(pair => pair.Value == plural))
        {
            watch.Writer.TryWrite(happened.ToJsonString());
        }
    }

    private async Task AnswerAsync(HttpContext context)
    {
        _asked.Enqueue($"{context.Request.Path}{context.Request.QueryString}");
        var parts = context.Request.Path.Value!.Trim('/').Split('/');
        var plural = parts[^1];
        if (Token.Length > 0 && context.Request.Headers.Authorization != $"Bearer {Token}")
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
        }
        else if (!_objects.ContainsKey(plural))
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
        }
        else if (context.Request.Query["watch"] is ["true" or "1"])
        {
            await WatchAsync(context, plural);
        }
        else
        {
            await ListAsync(context, plural, parts is [.., "namespaces", var name, _] ? name : "");
        }
    }

    private async Task ListAsync(HttpContext context, string plural, string inNamespace)
    {
        var (fields, labels) = (Pairs(context.Request.Query["fieldSelector"].ToString()), Pairs(context.Request.Query["labelSelector"].ToString()));
        JsonArray items;
        lock (_objects)
        {
            items = new JsonArray([.. _objects[plural]!.AsArray().Where(item => IsWanted(item!, inNamespace, fields, labels)).Select(item => item!.DeepClone())]);
        }

        var kind = plural switch { "endpoints" => "Endpoints", "endpointslices" => "EndpointSlice", "ingresses" => "Ingress", _ => char.ToUpperInvariant(plural[0]) + plural[1..^1] };
        var group = context.Request.Path.Value!.StartsWith("/apis/", StringComparison.Ordinal) ? string.Join('/', context.Request.Path.Value.Split('/')[2..4]) : "v1";
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(new JsonObject
        {
            ["kind"] = kind + "List",
            ["apiVersion"] = group,
            ["metadata"] = new JsonObject { ["resourceVersion"] = $"{_version}" },
            ["items"] = items,
        }.ToJsonString());
    }

    private async Task WatchAsync(HttpContext context, string plural)
    {
        context.Response.ContentType = "application/json";
        var events = Channel.CreateUnbounded<string>();
        _watches[events] = plural;
        await context.Response.Body.FlushAsync();
        try
        {
            await foreach (var happened in events.Reader.ReadAllAsync(context.RequestAborted))
            {
                await context.Response.WriteAsync(happened + "\n");
                await context.Response.Body.FlushAsync();
            }
        }
        catch (OperationCanceledException gone)
        {
            _ = gone; // the client has gone
        }
        finally
        {
            _watches.TryRemove(events, out _);
        }
    }

    private static bool IsWanted(JsonNode item, string inNamespace, List<string[]> fields, List<string[]> labels) =>
        (inNamespace.Length == 0 || (string?)item["metadata"]!["namespace"] == inNamespace)
        && fields.TrueForAll(pair => (string?)pair[0].Split('.').Aggregate((JsonNode?)item, (node, name) => node?[name]) == pair[1])
        && labels.TrueForAll(pair => (string?)item["metadata"]!["labels"]?[pair[0]] == pair[1]);

    private static List<string[]> Pairs(string selector) => [.. selector.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('=', 2))];

    private static string NameOf(JsonNode item) => $"{item["metadata"]!["namespace"]}/{item["metadata"]!["name"]}";
}
