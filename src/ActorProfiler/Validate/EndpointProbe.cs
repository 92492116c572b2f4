using System.Collections.Immutable;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using ActorProfiler.Aggregator.Destinations;
using ActorProfiler.Http;

namespace ActorProfiler.Commands.Validate;

/// <summary>Tries each endpoint with a push of no profiles: it tests name, connection, TLS, credentials and path, and stores nothing.</summary>
internal static class EndpointProbe
{
    /// <summary>False when an endpoint would not take profiles. One line for each.</summary>
    public static async Task<bool> RunAsync(ImmutableArray<PyroscopeWriteOptions> endpoints, TextWriter output, CancellationToken cancellation)
    {
        var allWell = true;
        foreach (var endpoint in endpoints.DistinctBy(endpoint => (endpoint.Endpoint, endpoint.Http, endpoint.Headers)))
        {
            var problem = await FindAsync(endpoint, cancellation);
            allWell &= problem is null;
            await output.WriteLineAsync($"{endpoint.Endpoint}: {problem ?? "takes profiles"}");
        }

        return allWell;
    }

    private static async Task<string?> FindAsync(PyroscopeWriteOptions endpoint, CancellationToken cancellation)
    {
        using var http = HttpClients.Create(endpoint.Http, endpoint.RemoteTimeout, TimeProvider.System);
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{endpoint.Endpoint}/push.v1.PusherService/Push") { Content = new ByteArrayContent([]) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/proto");
        request.Headers.Add("Connect-Protocol-Version", "1");
        foreach (var (name, value) in endpoint.Headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var timeout = new CancellationTokenSource(endpoint.RemoteTimeout);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellation, timeout.Token);
        try
        {
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, both.Token);
            return Explain(response);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested)
        {
            return $"no answer within {endpoint.RemoteTimeout.TotalSeconds} s";
        }
        catch (Exception cause) when (cause is HttpRequestException or IOException or SocketException)
        {
            return cause.InnerException is { } inner ? $"{cause.Message} {inner.Message}" : cause.Message;
        }
    }

    /// <summary>Null when the server would take profiles: it may well refuse a push without any.</summary>
    private static string? Explain(HttpResponseMessage response)
    {
        var type = response.Content.Headers.ContentType?.MediaType ?? "";
        return response.StatusCode switch
        {
            HttpStatusCode.OK when type != "application/proto" => $"200 with content type '{type}': not a Pyroscope server",
            HttpStatusCode.OK => null,
            HttpStatusCode.BadRequest when type == "application/json" => null,
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => $"{(int)response.StatusCode}: the credentials are not accepted",
            HttpStatusCode.NotFound => "404: no Pyroscope server at this URL",
            var status => $"{(int)status} {status}",
        };
    }
}
