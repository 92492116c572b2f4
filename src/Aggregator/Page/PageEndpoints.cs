using ActorProfiler.Aggregator.LocalStore;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace ActorProfiler.Aggregator.Page;

/// <summary>The page and what it reads: all GET, all from the local store.</summary>
/// <remarks>Use with <see cref="PageSecurity"/>, which sets the headers and guards the Host.</remarks>
internal static class PageEndpoints
{
    /// <summary>Adds <c>/</c>, its files and <c>/api/v1/{services,series,flamegraph,pprof}</c>.</summary>
    public static void MapPage(this IEndpointRouteBuilder routes, ProfileStore store)
    {
        var answers = new PageAnswers(store);
        routes.ServiceProvider.GetService<IHostApplicationLifetime>()?.ApplicationStopped.Register(answers.Dispose);
        foreach (var name in PageAssets.Names)
        {
            routes.MapGet(name == "index.html" ? "/" : $"/{name}", context => WriteAsset(context, name));
        }

        routes.MapGet("/api/v1/services", answers.Services);
        routes.MapGet("/api/v1/series", answers.Series);
        routes.MapGet("/api/v1/flamegraph", answers.FlameGraph);
        routes.MapGet("/api/v1/pprof", answers.Pprof);
    }

    private static async Task WriteAsset(HttpContext context, string name)
    {
        context.Response.ContentType = PageAssets.ContentType(name);
        context.Response.Headers.CacheControl = "no-cache";
        await context.Response.Body.WriteAsync(PageAssets.Content(name), context.RequestAborted);
    }
}
