using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ActorProfiler.Aggregator.LocalStore;
using Microsoft.AspNetCore.Http;

namespace ActorProfiler.Aggregator.Page;

/// <summary>Answers the page's queries from the local store.</summary>
internal sealed class PageAnswers(ProfileStore store) : IDisposable
{
    /// <summary>A merge can take hundreds of megabytes for a moment, so only so many run at once; the others wait.</summary>
    private const int MergesAtOnce = 2;

    private readonly SemaphoreSlim _merges = new(MergesAtOnce);

    public Task Services(HttpContext context) => Answer(context, WriteServices);

    public Task Series(HttpContext context) => Answer(context, WriteSeries);

    public Task FlameGraph(HttpContext context) => Answer(context, WriteFlameGraph);

    public Task Pprof(HttpContext context) => Answer(context, WritePprof);

    public void Dispose() => _merges.Dispose();

    /// <summary>Runs one request: its place in the queue, its query, and 400 with the reason when that cannot be read.</summary>
    private async Task Answer(HttpContext context, Func<HttpContext, PageQuery, Task> write)
    {
        context.Response.Headers.CacheControl = "no-store";
        PageQuery query;
        try
        {
            query = PageQuery.Of(context.Request.Query, store.Clock);
        }
        catch (FormatException cause)
        {
            await WriteError(context, StatusCodes.Status400BadRequest, cause.Message);
            return;
        }

        await _merges.WaitAsync(context.RequestAborted);
        try
        {
            await write(context, query);
        }
        finally
        {
            _merges.Release();
        }
    }

    private Task WriteServices(HttpContext context, PageQuery query) =>
        WriteJson(context, new ServicesAnswer(store.Services(query.Range), store.State(), store.Options.MaxAge.TotalSeconds), PageJson.Default.ServicesAnswer);

    private Task WriteSeries(HttpContext context, PageQuery query)
    {
        var series = store.Series(query.Selector, query.Range)
            .Select(IReadOnlyDictionary<string, string> (labels) => labels.ToDictionary(pair => pair.Name, pair => pair.Value));
        return WriteJson(context, new SeriesAnswer([.. series]), PageJson.Default.SeriesAnswer);
    }

    private Task WriteFlameGraph(HttpContext context, PageQuery query) =>
        WriteJson(context, store.Query(query.Selector, query.Range, cancellation: context.RequestAborted), PageJson.Default.FlameGraph);

    private async Task WritePprof(HttpContext context, PageQuery query)
    {
        if (store.Pprof(query.Selector, query.Range, cancellation: context.RequestAborted) is not { } pprof)
        {
            await WriteError(context, StatusCodes.Status404NotFound, "no profile in this time range; widen it or choose another service");
            return;
        }

        context.Response.ContentType = "application/octet-stream";
        context.Response.ContentLength = pprof.Length;
        context.Response.Headers.ContentDisposition = $"attachment; filename=\"{query.FileName()}\"";
        await context.Response.Body.WriteAsync(pprof, context.RequestAborted);
    }

    private static Task WriteError(HttpContext context, int status, string error)
    {
        context.Response.StatusCode = status;
        return WriteJson(context, new ErrorAnswer(error), PageJson.Default.ErrorAnswer);
    }

    private static Task WriteJson<T>(HttpContext context, T value, JsonTypeInfo<T> type)
    {
        context.Response.ContentType = "application/json";
        return JsonSerializer.SerializeAsync(context.Response.Body, value, type, context.RequestAborted);
    }
}
