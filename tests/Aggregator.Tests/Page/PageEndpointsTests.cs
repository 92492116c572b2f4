using System.Net;
using System.Text.Json;
using ActorProfiler.Aggregator.LocalStore;

namespace ActorProfiler.Tests.Page;

public sealed class PageEndpointsTests : IAsyncLifetime
{
    private readonly HttpClient _client = new();
    private PageServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await PageServer.Start();
        _client.BaseAddress = _server.Address;
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
    }

    [Theory]
    [InlineData("/", "text/html; charset=utf-8")]
    [InlineData("/page.js", "text/javascript; charset=utf-8")]
    [InlineData("/page.css", "text/css; charset=utf-8")]
    public async Task Serves_its_files_under_a_policy_that_allows_only_them(string path, string type)
    {
        var response = await _client.GetAsync(path);

        Assert.Equal(type, response.Content.Headers.ContentType!.ToString());
        Assert.Contains("default-src 'none'; script-src 'self'", response.Headers.GetValues("Content-Security-Policy").Single());
        Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.False(response.Headers.Contains("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task Refuses_a_foreign_host_name_and_other_methods()
    {
        using var foreign = new HttpRequestMessage(HttpMethod.Get, "/api/v1/services") { Headers = { Host = "evil.example" } };

        Assert.Equal(HttpStatusCode.MisdirectedRequest, (await _client.SendAsync(foreign)).StatusCode);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await _client.PostAsync("/api/v1/services", null)).StatusCode);
    }

    [Fact]
    public async Task Answers_services_series_and_the_flame_graph_of_one()
    {
        _server.Add("cart", "main;work 3");
        _server.Add("shop", "main 1");

        var services = await Json("/api/v1/services");
        var series = await Json("/api/v1/series?query={service_name=~\"c.*\"}");
        var graph = await Json("/api/v1/flamegraph?service=cart&from=now-5m&until=now");

        Assert.Equal(["cart", "shop"], services.GetProperty("services").EnumerateArray().Select(service => service.GetProperty("name").GetString()));
        Assert.Equal("cart", series.GetProperty("series").EnumerateArray().Single().GetProperty("service_name").GetString());
        Assert.Equal(3 * FoldedPeriod, graph.GetProperty("totalNanos").GetInt64());
        Assert.Equal([-1, 0, 1], graph.GetProperty("parents").EnumerateArray().Select(parent => parent.GetInt32()));
    }

    [Fact]
    public async Task Downloads_pprof_under_a_name_that_says_what_and_when()
    {
        _server.Add("web/cart", "main;work 3");

        var response = await _client.GetAsync("/api/v1/pprof?service=web/cart&from=2026-11-22T12:00:00Z&until=now");

        Assert.StartsWith("web-cart-20261122T120000Z-", response.Content.Headers.ContentDisposition!.FileName!.Trim('"'));
        Assert.Equal(3, PprofPayload.Open(await response.Content.ReadAsByteArrayAsync()).Sample.Single().Value[0]);
    }

    [Theory]
    [InlineData("/api/v1/flamegraph?from=yesterday", "\"yesterday\" is no time")]
    [InlineData("/api/v1/flamegraph?from=now-5x", "is no time")]
    [InlineData("/api/v1/flamegraph?from=now&until=now-5m", "from must be before until")]
    [InlineData("/api/v1/flamegraph?query=x", "expected {")]
    [InlineData("/api/v1/flamegraph?from=99999999999999999", "is no time")]
    public async Task Says_what_is_wrong_with_a_request(string path, string error)
    {
        var response = await _client.GetAsync(path);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains(error, JsonDocument.Parse(await response.Content.ReadAsStreamAsync()).RootElement.GetProperty("error").GetString());
    }

    private const long FoldedPeriod = LocalStore.FoldedProfile.Period;

    private async Task<JsonElement> Json(string path) =>
        JsonDocument.Parse(await _client.GetStringAsync(path)).RootElement;
}
