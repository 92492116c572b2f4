using System.Text;
using ActorProfiler.Aggregator.Aggregation;
using ActorProfiler.Aggregator.Destinations;
using ActorProfiler.Aggregator.Pprof;
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
                BasicAuth = new BasicAuthOptions("123", "pass"),
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
        using var destination = new PyroscopeDestination(new PyroscopeWriteOptions(server.Url) { BearerTokenFile = file }, TimeProvider.System);

        foreach (var token in (string[])["old", "new"])
        {
            await File.WriteAllTextAsync(file, token + "\n");
            await destination.WriteAsync(Profile(), CancellationToken.None);
        }

        Assert.Equal(["Bearer old", "Bearer new"], server.Pushes.Select(push => push.Headers["Authorization"]));
    }

    [Fact]
    public async Task Does_not_follow_a_redirect()
    {
        await using var server = await FakePyroscope.StartAsync();
        server.Intercept = context =>
        {
            context.Response.Redirect("/push.v1.PusherService/Push", permanent: false, preserveMethod: true);
            return Task.FromResult(true);
        };
        using var destination = new PyroscopeDestination(new PyroscopeWriteOptions(server.Url), TimeProvider.System);

        Assert.Equal(WriteOutcome.Verdict.Misconfigured, (await destination.WriteAsync(Profile(), CancellationToken.None)).What);
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

    private static EncodedProfile Profile()
    {
        var window = new ProfileWindow();
        window.Add(default, Samples.Batch(("work;main", 3)));
        return ProfileEncoder.Encode(Samples.Web, window.Flush(), new ProfileLimits(), new SeriesTimes())[0];
    }
}
