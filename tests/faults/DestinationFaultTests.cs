using ActorProfiler.Tests.Run;

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
        var expired = (await DroppedTicks.ByReasonAsync(tier)).GetValueOrDefault("expired");

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
        var (before, during) = (alone.ConvertAll(window => Samples.Quantile(window, 0.99)), together.ConvertAll(window => Samples.Quantile(window, 0.99)));
        var (p99Before, p99During, floor) = (Samples.Quantile(before, 0.5), Samples.Quantile(during, 0.5), before.Max());
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

    private static double MedianOf(List<List<double>> windows) => Samples.Quantile(windows.ConvertAll(window => Samples.Quantile(window, 0.5)), 0.5);
}
