using System.Collections.Concurrent;
using System.Net;
using ActorProfiler.Tests.Run;
using Microsoft.AspNetCore.Http;

namespace ActorProfiler.Tests.Faults;

/// <summary>Destinations that answer wrongly, late or with a refusal.</summary>
public sealed class AnswerFaultTests
{
    [Fact]
    [Trait("scenario", "5")]
    public async Task Answers_of_a_destination_are_cut_off()
    {
        await using var tier = await Tier.StartAsync(new TierOptions());
        tier.Destinations[0].CutsAnswer = _ => Random.Shared.Next(100) < 20;
        tier.AddCollectors(10);
        await Scenario.LastAsync(Scenario.Seconds(10));
        tier.Destinations[0].CutsAnswer = _ => false;

        var verdict = await tier.JudgeAsync();
        Assert.True(verdict.Repeated > 0, "no push was ever repeated: nothing was tried");
        Scenario.Report(5, "reset after the whole body, before the answer, 20 % of pushes", verdict, $"{tier.Destinations[0].Pushes.Count} pushes of {tier.Destinations[0].Stored.Count} profiles");
    }

    [Fact]
    [Trait("scenario", "6")]
    public async Task A_destination_fails_half_of_the_time()
    {
        await using var tier = await Tier.StartAsync(new TierOptions());
        var server = tier.Destinations[0];
        var attempts = 0;
        server.Intercept = async context =>
        {
            Interlocked.Increment(ref attempts);
            if (Random.Shared.Next(2) == 0)
            {
                return false;
            }

            int[] statuses = [500, 503, 504];
            await FakePyroscope.AnswerAsync(context, statuses[Random.Shared.Next(3)], "unavailable", "try later");
            return true;
        };
        tier.AddCollectors(10);
        await Scenario.LastAsync(Scenario.Seconds(10));
        server.Intercept = _ => Task.FromResult(false);

        var verdict = await tier.JudgeAsync(await DroppedTicks.InAllAsync(tier));
        Assert.True(verdict.DroppedTicks == 0, $"{verdict.DroppedTicks} ticks were dropped");
        Scenario.Report(6, "500, 503 or 504 to half of the pushes", verdict, $"{attempts} attempts for {server.Stored.Count} profiles");
    }

    [Theory]
    [Trait("scenario", "7")]
    [InlineData("5")]
    [InlineData("99999999")]
    [InlineData("-1")]
    [InlineData("Wed, 21 Oct 2015 07:28:00 GMT")]
    public async Task A_destination_says_429(string retryAfter)
    {
        await using var tier = await Tier.StartAsync(new TierOptions());
        var server = tier.Destinations[0];
        var times = new ConcurrentQueue<long>();
        server.Intercept = async context =>
        {
            times.Enqueue(TimeProvider.System.GetTimestamp());
            context.Response.Headers.RetryAfter = retryAfter;
            await FakePyroscope.AnswerAsync(context, 429, "resource_exhausted", "push rate limit (1.0 KiB) exceeded");
            return true;
        };
        tier.AddCollectors(5);
        await Poll.UntilAsync(() => !times.IsEmpty, Tier.Patience, () => tier.Text);
        var during = TimeSpan.FromSeconds(12);
        await Scenario.LastAsync(during);
        var asked = times.Count;
        server.Intercept = _ => Task.FromResult(false);

        // The first few were under way when the first answer came.
        Assert.InRange(asked, 1, 4 + (retryAfter == "5" ? 4 : retryAfter.Length == 8 ? 4 : 24));
        if (retryAfter.Length == 8)
        {
            return; // it waits for five minutes now
        }

        var verdict = await tier.JudgeAsync();
        Scenario.Report(7, "429 with Retry-After 5, 99999999, −1, or in the past", verdict, $"{asked} requests in {during.TotalSeconds} s (`{retryAfter}`)");
    }

    [Fact]
    [Trait("scenario", "8")]
    public async Task One_profile_of_many_is_refused_for_good()
    {
        await using var tier = await Tier.StartAsync(new TierOptions());
        var server = tier.Destinations[0];
        var refused = 0;
        server.Intercept = async context =>
        {
            if (server.Pushes.Count < 10 || Interlocked.Exchange(ref refused, 1) == 1)
            {
                return false;
            }

            await FakePyroscope.AnswerAsync(context, 400, "invalid_argument", "malformed profile");
            return true;
        };
        tier.AddCollectors(10);
        await Poll.UntilAsync(() => Volatile.Read(ref refused) == 1, Tier.Patience, () => tier.Text);
        await Scenario.LastAsync(Scenario.Seconds(4));
        await tier.DrainCollectorsAsync();
        await tier.DeliverAllAsync();

        var verdict = await tier.JudgeAsync(await DroppedTicks.InAllAsync(tier));
        Assert.True(verdict.DroppedTicks > 0, "nothing was refused");
        Assert.Single(Directory.GetFiles(Path.Combine(tier.DataFolder(0), "aggregator", "dead-letters", "d0"), "*.pb.gz", SearchOption.AllDirectories));
        Scenario.Report(8, "a 400 to one profile of many", verdict, $"one dead letter; {verdict.DroppedTicks} ticks counted as dropped");
    }

    [Fact]
    [Trait("scenario", "9")]
    public async Task A_profile_is_too_large_for_the_destination()
    {
        await using var tier = await Tier.StartAsync(new TierOptions { SeriesPerCollector = 1, Window = TimeSpan.FromSeconds(3) });
        var server = tier.Destinations[0];
        var refused = 0;
        server.Intercept = async context =>
        {
            if (context.Request.ContentLength < 900)
            {
                return false;
            }

            Interlocked.Increment(ref refused);
            await FakePyroscope.AnswerAsync(context, Random.Shared.Next(2) == 0 ? 413 : 429, "resource_exhausted", "push rate limit (1.0 KiB) exceeded while adding 100.0 MiB");
            return true;
        };
        tier.AddCollectors(10, options => options with { Every = TimeSpan.FromMilliseconds(100) });
        await Scenario.LastAsync(Scenario.Seconds(6));
        await tier.DrainCollectorsAsync();
        await Scenario.LastAsync(TimeSpan.FromSeconds(3));
        server.Intercept = _ => Task.FromResult(false);

        var verdict = await tier.JudgeAsync();
        Assert.True(refused > 0, "nothing was too large");
        Scenario.Report(9, "413 to every push above 900 bytes", verdict, $"{refused} split");
    }

    [Fact]
    [Trait("scenario", "10")]
    public async Task A_token_is_revoked_and_replaced()
    {
        using var secrets = new TemporaryFolder();
        var token = Path.Combine(secrets.Path, "token");
        await File.WriteAllTextAsync(token, "first-canary-token");
        await using var tier = await Tier.StartAsync(new TierOptions { Endpoint = $"    bearer_token_file = \"{token}\"\n" });
        var (server, valid) = (tier.Destinations[0], "first-canary-token");
        server.Intercept = async context =>
        {
            if (context.Request.Headers.Authorization == $"Bearer {valid}")
            {
                return false;
            }

            await FakePyroscope.AnswerAsync(context, 401, "unauthenticated", "invalid token");
            return true;
        };
        tier.AddCollectors(5);
        await Poll.UntilAsync(() => server.Pushes.Count > 10, Tier.Patience, () => tier.Text);
        valid = "second-canary-token";
        await Scenario.LastAsync(TimeSpan.FromSeconds(5));
        await File.WriteAllTextAsync(token, valid);
        var (rotated, count) = (TimeProvider.System.GetTimestamp(), server.Pushes.Count);
        await Poll.UntilAsync(() => server.Pushes.Count > count, Tier.Patience, () => tier.Text);
        var resumed = TimeProvider.System.GetElapsedTime(rotated);

        var verdict = await tier.JudgeAsync();
        Assert.True(resumed < TimeSpan.FromSeconds(35), $"resumed after {resumed.TotalSeconds:0.0} s");
        Assert.DoesNotContain(tier[0].Lines, line => line.Contains("canary", StringComparison.Ordinal));
        Scenario.Report(10, "401, then the token's file is replaced", verdict, $"resumed after {resumed.TotalSeconds:0.0} s; the token is in no log line");
    }
}
