using System.Text;
using ActorProfiler.Aggregator.Aggregation;
using ActorProfiler.Aggregator.Destinations;
using ActorProfiler.Aggregator.Pprof;
using ActorProfiler.Configuration.Evaluation;
using ActorProfiler.Http;
using ActorProfiler.Labels;
using Microsoft.AspNetCore.Http;

namespace ActorProfiler.Tests.Destinations;

public class PyroscopeDestinationTests
{
    [Fact]
    public async Task Sends_what_the_protocol_asks_for()
    {
        await using var server = await FakePyroscope.StartAsync();
        using var destination = new PyroscopeDestination(
            new PyroscopeWriteOptions(new Uri(server.Url, "/?secret=1"))
            {
                Http = new HttpClientOptions { BasicAuth = new BasicAuthOptions { Username = "123", Password = new SecretValue("pass") } },
                Headers = new Dictionary<string, string> { ["X-Scope-OrgID"] = "tenant" },
                ExternalLabels = LabelSet.Of(("cluster", "eu")),
            },
            TimeProvider.System);

        Assert.Equal(WriteOutcome.Delivered, await destination.WriteAsync(Profile(), CancellationToken.None));

        var push = Assert.Single(server.Pushes);
        Assert.Equal(LabelSet.Of(("__name__", "process_cpu"), ("cluster", "eu"), ("service_name", "web")), push.Labels);
        Assert.Equal("Basic " + Convert.ToBase64String("123:pass"u8), push.Headers["Authorization"]);
        Assert.Equal(("tenant", "1", "10000"), (push.Headers["X-Scope-OrgID"], push.Headers["Connect-Protocol-Version"], push.Headers["Connect-Timeout-Ms"]));
        Assert.False(push.Headers.ContainsKey("Content-Encoding"));
        Assert.DoesNotContain("secret", destination.Endpoint);
    }

    [Fact]
    public async Task Reads_a_token_again_for_each_write()
    {
        await using var server = await FakePyroscope.StartAsync();
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "token");
        using var destination = new PyroscopeDestination(new PyroscopeWriteOptions(server.Url) { Http = new HttpClientOptions { BearerTokenFile = file } }, TimeProvider.System);

        foreach (var token in (string[])["old", "new"])
        {
            await File.WriteAllTextAsync(file, token + "\n");
            await destination.WriteAsync(Profile(), CancellationToken.None);
        }

        Assert.Equal(["Bearer old", "Bearer new"], server.Pushes.Select(push => push.Headers["Authorization"]));
    }

    [Fact]
    public async Task Does_not_follow_a_redirect_to_another_host()
    {
        await using var server = await FakePyroscope.StartAsync();
        server.Intercept = context =>
        {
            context.Response.Redirect($"http://localhost:{server.Url.Port}/push.v1.PusherService/Push", permanent: false, preserveMethod: true);
            return Task.FromResult(true);
        };
        using var destination = new PyroscopeDestination(new PyroscopeWriteOptions(server.Url), TimeProvider.System);

        Assert.Equal(WriteOutcome.Verdict.Misconfigured, (await destination.WriteAsync(Profile(), CancellationToken.None)).What);
        Assert.Empty(server.Pushes);
    }

    [Fact]
    public async Task The_tenant_of_a_series_goes_before_that_of_the_endpoint_and_is_no_label()
    {
        await using var server = await FakePyroscope.StartAsync();
        using var destination = new PyroscopeDestination(
            new PyroscopeWriteOptions(server.Url) { Headers = new Dictionary<string, string> { ["X-Scope-OrgID"] = "everybody" } }, TimeProvider.System);

        await destination.WriteAsync(Profile(Samples.Web), CancellationToken.None);
        await destination.WriteAsync(Profile(Samples.Web.With("__tenant__", "team-a")), CancellationToken.None);

        Assert.Equal(["everybody", "team-a"], server.Pushes.Select(push => push.Headers["X-Scope-OrgID"]));
        Assert.All(server.Pushes, push => Assert.False(push.Labels.Contains("__tenant__")));
    }

    [Theory]
    [InlineData("a|b")]
    [InlineData("a\nX-Admin: 1")]
    [InlineData("..")]
    public async Task A_name_that_is_no_tenant_goes_nowhere(string tenant)
    {
        await using var server = await FakePyroscope.StartAsync();
        using var destination = new PyroscopeDestination(new PyroscopeWriteOptions(server.Url), TimeProvider.System);

        var outcome = await destination.WriteAsync(Profile(Samples.Web.With("__tenant__", tenant)), CancellationToken.None);

        Assert.Equal((WriteOutcome.Verdict.Rejected, "invalid_tenant"), (outcome.What, outcome.Reason));
        Assert.Empty(server.Pushes);
    }

    [Fact]
    public async Task Reads_no_more_than_64_KiB_of_an_endless_answer()
    {
        await using var server = await FakePyroscope.StartAsync();
        server.Intercept = async context =>
        {
            context.Response.StatusCode = 503;
            context.Response.Headers.RetryAfter = "7";
            while (!context.RequestAborted.IsCancellationRequested)
            {
                await context.Response.Body.WriteAsync(new byte[4096], context.RequestAborted);
            }

            return true;
        };
        using var destination = new PyroscopeDestination(new PyroscopeWriteOptions(server.Url), TimeProvider.System);

        var outcome = await destination.WriteAsync(Profile(), CancellationToken.None);

        Assert.Equal((WriteOutcome.Verdict.Transient, TimeSpan.FromSeconds(7)), (outcome.What, outcome.RetryAfter));
    }

    private static EncodedProfile Profile() => Profile(Samples.Web);

    private static EncodedProfile Profile(LabelSet labels)
    {
        var window = new ProfileWindow();
        window.Add(default, Samples.Batch(("work;main", 3)));
        return ProfileEncoder.Encode(labels, window.Flush(), new ProfileLimits(), new SeriesTimes())[0];
    }
}
