using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace ActorProfiler.Aggregator.Page;

/// <summary>The rules every answer of the HTTP server keeps.</summary>
internal static class PageSecurity
{
    /// <summary>Only our own files run, and they may only talk to us.</summary>
    public const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /// <summary>Refuses foreign Host headers with 421 and sets the security headers of all answers. Put it first.</summary>
    public static IApplicationBuilder UsePageSecurity(this IApplicationBuilder app, HostAllowList hosts) =>
        app.Use((context, next) => hosts.Allows(context.Request.Host.Value) ? Secured(context, next) : Refuse(context));

    private static Task Secured(HttpContext context, RequestDelegate next)
    {
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        return next(context);
    }

    private static Task Refuse(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status421MisdirectedRequest;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(
            "This server does not answer to that host name. Use localhost or the address given with --http.listen.\n", context.RequestAborted);
    }
}
