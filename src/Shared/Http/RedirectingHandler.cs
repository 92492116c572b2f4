using System.Net;

namespace ActorProfiler.Http;

/// <summary>Follows redirects that stay on the host they come from: credentials and headers never go to another.</summary>
/// <remarks>A request with a body is sent again as it was (307 and 308); others become what they are, a GET. An answer that is not followed is the caller's.</remarks>
internal sealed class RedirectingHandler(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    private const int Limit = 5;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        for (var hop = 0; hop < Limit && Next(request, response) is { } next; hop++)
        {
            response.Dispose();
            request.RequestUri = next;
            response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        }

        return response;
    }

    private static Uri? Next(HttpRequestMessage request, HttpResponseMessage response)
    {
        var follows = response.StatusCode is HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect
            || (request.Method == HttpMethod.Get && response.StatusCode is HttpStatusCode.Moved or HttpStatusCode.Found or HttpStatusCode.SeeOther);
        if (!follows || response.Headers.Location is not { } location)
        {
            return null;
        }

        var next = new Uri(request.RequestUri!, location);
        var isSafe = next.Host == request.RequestUri!.Host && (next.Scheme == request.RequestUri.Scheme || next.Scheme == "https");
        return isSafe ? next : null;
    }
}
