using System.Collections.Concurrent;
using System.Net;
using ActorProfiler.Tests.Run;
using Microsoft.AspNetCore.Http;

namespace ActorProfiler.Tests.Faults;

/// <summary>Destinations that are gone, slow, overloaded, or say no.</summary>
public sealed class DestinationFaultTests
{
    [Fact]
    [Trait("scenario", "1")]
    [Trait("speed", "fast")]
    public async Task A_destination_is_down_and_comes_back()
    {
        await using var tier = await Tier.StartAsync(new TierOptions());
        tier.AddCollectors(10);
        await Scenario.LastAsync(TimeSpan.FromSeconds(2));
        var (before, down) = (tier.Memory(0), Scenario.Seconds(10));
        PacketFilter.Set(tier.Nodes[0], output: $"tcp dport {tier.Destinations[0].Url.Port} drop");
        await Scenario.LastAsync(down);
        var during = tier.Memory(0);
        PacketFilter.Clear(tier.Nodes[0]);
        await tier.DrainCollectorsAsync();
        var emptied = await tier.DeliverAllAsync();

        var verdict = await tier.JudgeAsync();
        Assert.True(emptied < TimeSpan.FromSeconds(60), $"the backlog was empty after {emptied.TotalSeconds:0.0} s");
        Scenario.Report(1, $"destination down, {down.TotalSeconds} s", verdict, $"backlog empty after {emptied.TotalSeconds:0.0} s; RSS {before:0} → {during:0} MiB");
    }

    [Fact]
    [Trait("scenario", "2")]
    public async Task A_destination_is_down_for_longer_than_profiles_are_kept()
    {
        await using var tier = await Tier.StartAsync(new TierOptions());
        PacketFilter.Set(tier.Nodes[0], output: $"tcp dport {tier.Destinations[0].Url.Port} drop");

        // Taken 54 minutes and 40 seconds ago: too old in twenty seconds.
        tier.AddCollectors(5, options => options with { TakenAgo = TimeSpan.FromSeconds(54 * 60 + 40) });
        await Scenario.LastAsync(TimeSpan.FromSeconds(5));
        await tier.DrainCollectorsAsync();
        await Poll.UntilAsync(async () => await tier.SumAsync(0, "actorprofiler_destination_waiting_profiles") == 0, Tier.Patience * 2, () => tier.Text);
        PacketFilter.Clear(tier.Nodes[0]);
        var expired = (await DroppedTicksAsync(tier)).GetValueOrDefault("expired");

        var verdict = await tier.JudgeAsync(dropped: expired);
        Assert.Equal(tier.Oracle.AcknowledgedTicks, expired);
        Scenario.Report(2, "destination down for longer than 55 min", verdict, $"expired {expired} ticks = minted ticks");
    }

    [Fact]
    [Trait("scenario", "3")]
    public Task One_of_three_destinations_is_black_holed() => OneOfThreeAsync(
        3,
        phase => $"1 of 3 destinations black-holed, 2 × {phase.TotalSeconds} s",
        tier =>
        {
            PacketFilter.Set(tier.Nodes[0], output: $"tcp dport {tier.Destinations[2].Url.Port} drop");
            return () => PacketFilter.Clear(tier.Nodes[0]);
        });

    [Fact]
    [Trait("scenario", "4")]
    public Task One_of_three_destinations_answers_after_30_seconds() => OneOfThreeAsync(
        4,
        phase => $"1 of 3 destinations answers after 30 s, for 2 × {phase.TotalSeconds} s",
        tier =>
        {
            var returns = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            tier.Destinations[2].Intercept = async context =>
            {
                using var late = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
                late.CancelAfter(TimeSpan.FromSeconds(30));
                await returns.Task.WaitAsync(late.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                return context.RequestAborted.IsCancellationRequested;
            };
            return () =>
            {
                tier.Destinations[2].Intercept = _ => Task.FromResult(false);
                returns.SetResult();
            };
        });

    // Without the fault, with it, and both again: a busy machine changes more than a fault may. Each phase has windows of five seconds; the
    // noise floor is how far the p99 of single windows lie apart where nothing is wrong.
    private static async Task OneOfThreeAsync(int number, Func<TimeSpan, string> fault, Func<Tier, Action> begin)
    {
        await using var tier = await Tier.StartAsync(new TierOptions { Destinations = 3, SeriesPerCollector = 100, Window = TimeSpan.FromSeconds(1) });
        tier.AddCollectors(10, options => options with { Every = TimeSpan.FromMilliseconds(25) });
        await Scenario.LastAsync(TimeSpan.FromSeconds(10));
        var (alone, together, phase, memory) = (new List<List<double>>(), new List<List<double>>(), Scenario.Seconds(15), 0.0);
        for (var i = 0; i < 2; i++)
        {
            alone.AddRange(await LatenciesAsync(tier, phase));
            var end = begin(tier);
            await Scenario.LastAsync(TimeSpan.FromSeconds(1));
            together.AddRange(await LatenciesAsync(tier, phase));
            memory = Math.Max(memory, tier.Memory(0));
            end();
            await Poll.UntilAsync(async () => await tier.SumAsync(0, "actorprofiler_destination_waiting_profiles") < 200, Tier.Patience * 2, () => tier.Text);
            await Scenario.LastAsync(TimeSpan.FromSeconds(5));
        }

        var verdict = await tier.JudgeAsync();
        var (before, during) = (alone.ConvertAll(window => Quantile(window, 0.99)), together.ConvertAll(window => Quantile(window, 0.99)));
        var (p99Before, p99During, floor) = (Quantile(before, 0.5), Quantile(during, 0.5), before.Max());
        Scenario.Report(
            number,
            fault(phase),
            verdict,
            $"the others' latency from stored to arrived, median of {before.Count} and {during.Count} windows of 5 s: p50 {MedianOf(alone):0.0} → {MedianOf(together):0.0} ms, p99 {p99Before:0.0} → {p99During:0.0} ms "
                + $"(× {p99During / p99Before:0.00}; single windows before: {before.Min():0.0} to {floor:0.0} ms; {alone.Sum(window => window.Count)} and {together.Sum(window => window.Count)} pushes); RSS ≤ {memory:0} MiB");
        Assert.True(p99During <= Math.Max(1.1 * p99Before, floor), $"p99 {p99Before:0.00} → {p99During:0.00} ms, noise floor {floor:0.00} ms");
    }

    [Fact]
    [Trait("speed", "fast")]
    public async Task A_slow_destination_gets_everything_and_the_other_at_once()
    {
        await using var tier = await Tier.StartAsync(new TierOptions { Destinations = 2 });
        tier.Destinations[1].Intercept = async _ =>
        {
            await Scenario.LastAsync(TimeSpan.FromSeconds(3));
            return false;
        };
        tier.AddCollectors(5);
        await Poll.UntilAsync(() => tier.Destinations[0].Pushes.Count > tier.Destinations[1].Pushes.Count + 12, Tier.Patience, () => tier.Text);
        tier.Destinations[1].Intercept = _ => Task.FromResult(false);

        await tier.JudgeAsync();
    }

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

        var verdict = await tier.JudgeAsync(await DroppedTicksInAllAsync(tier));
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

        var verdict = await tier.JudgeAsync(await DroppedTicksInAllAsync(tier));
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

    /// <summary>Ticks that the aggregators of a tier say they dropped on the way to the first destination, by reason.</summary>
    internal static async Task<Dictionary<string, long>> DroppedTicksAsync(Tier tier)
    {
        using var http = new HttpClient();
        var dropped = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var node in tier.Nodes)
        {
            using var ledger = System.Text.Json.JsonDocument.Parse(await http.GetStringAsync($"http://{node.Address}:4041/api/v1/ledger"));
            foreach (var reason in ledger.RootElement.GetProperty("destinations").GetProperty("d0").GetProperty("dropped").EnumerateObject())
            {
                dropped[reason.Name] = dropped.GetValueOrDefault(reason.Name) + reason.Value.GetInt64();
            }
        }

        return dropped;
    }

    internal static async Task<long> DroppedTicksInAllAsync(Tier tier) => (await DroppedTicksAsync(tier)).Values.Sum();

    /// <summary>Milliseconds from a profile's time on disk to its arrival, at the two destinations that answer, in windows of five seconds.</summary>
    private static async Task<List<List<double>>> LatenciesAsync(Tier tier, TimeSpan during)
    {
        var windows = new List<List<double>>();
        for (var i = 0; i < during.TotalSeconds / 5; i++)
        {
            var from = TimeProvider.System.GetTimestamp();
            await Scenario.LastAsync(TimeSpan.FromSeconds(5));
            windows.Add([.. tier.Destinations.Take(2).SelectMany(destination => destination.Pushes.Where(push => push.Arrived > from))
                .Select(push => (push, stored: tier.Oracle.AcknowledgedAt(push)))
                .Where(pair => pair.stored is not null)
                .Select(pair => TimeProvider.System.GetElapsedTime(pair.stored!.Value, pair.push.Arrived).TotalMilliseconds)]);
        }

        return windows;
    }

    private static double MedianOf(List<List<double>> windows) => Quantile(windows.ConvertAll(window => Quantile(window, 0.5)), 0.5);

    internal static double Quantile(List<double> values, double quantile) =>
        values.Count == 0 ? double.NaN : values.Order().ElementAt((int)(quantile * (values.Count - 1)));
}
