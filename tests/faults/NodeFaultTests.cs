using System.Diagnostics;
using ActorProfiler.Tests.Run;

namespace ActorProfiler.Tests.Faults;

/// <summary>Aggregators that die, stop, pause and come back.</summary>
public sealed class NodeFaultTests
{
    [Fact]
    [Trait("scenario", "11")]
    [Trait("speed", "fast")]
    public async Task Kill_9_of_a_lone_aggregator_at_random_moments()
    {
        await using var tier = await Tier.StartAsync(new TierOptions());
        tier.AddCollectors(10);
        var (kills, slowest) = (Scenario.Times(4), TimeSpan.Zero);
        for (var i = 0; i < kills; i++)
        {
            await Scenario.LastAsync(TimeSpan.FromMilliseconds(300 + Random.Shared.Next(2000)));
            await tier.KillAsync(0);
            var started = TimeProvider.System.GetTimestamp();
            tier.Start(0);
            await tier.AllUpAsync();
            var took = TimeProvider.System.GetElapsedTime(started);
            slowest = took > slowest ? took : slowest;
        }

        var verdict = await tier.JudgeAsync();
        Assert.True(verdict.Resent > 0, "no batch was ever sent again: nothing was tried");
        Scenario.Report(11, $"`kill -9` of the aggregator × {kills}", verdict, $"serving again after ≤ {slowest.TotalSeconds:0.0} s");
    }

    [Fact]
    [Trait("scenario", "13")]
    public async Task SIGTERM_in_mid_load()
    {
        await using var tier = await Tier.StartAsync(new TierOptions());
        tier.AddCollectors(10);
        var (stops, slowest) = (Scenario.Times(10), TimeSpan.Zero);
        for (var i = 0; i < stops; i++)
        {
            await Scenario.LastAsync(TimeSpan.FromMilliseconds(500 + Random.Shared.Next(1500)));
            var took = await tier.StopAsync(0);
            slowest = took > slowest ? took : slowest;
            tier.Start(0);
            await tier.AllUpAsync();
        }

        var verdict = await tier.JudgeAsync();
        Assert.True(slowest < TimeSpan.FromSeconds(10), $"an exit took {slowest.TotalSeconds:0.0} s");
        Scenario.Report(13, $"SIGTERM of the aggregator × {stops}", verdict, $"exit after ≤ {slowest.TotalSeconds:0.0} s");
    }

    [Fact]
    [Trait("scenario", "14")]
    public async Task A_rolling_restart_of_three_aggregators()
    {
        await using var tier = await Tier.StartAsync(new TierOptions { Nodes = 3 });
        tier.AddCollectors(20);
        await AuditAsync(tier);
        for (var round = 0; round < Scenario.Times(2); round++)
        {
            for (var node = 0; node < 3; node++)
            {
                await Scenario.LastAsync(TimeSpan.FromSeconds(2));
                await tier.StopAsync(node);
                tier.Start(node);
                await tier.AllUpAsync();
            }
        }

        var verdict = await tier.JudgeAsync();
        await AuditAsync(tier);
        Scenario.Report(14, $"rolling restart of 3 aggregators × {Scenario.Times(2)}", verdict, "");
    }

    [Theory]
    [Trait("scenario", "34")]
    [InlineData(1)]
    [InlineData(0)]
    public async Task One_of_two_aggregators_is_lost(int lost)
    {
        await using var tier = await Tier.StartAsync(new TierOptions { Nodes = 2 });
        tier.AddCollectors(10);
        await Scenario.LastAsync(TimeSpan.FromSeconds(3));
        var survivor = 1 - lost;
        await tier.KillAsync(lost);

        // Two cannot tell a lost node from a cut line: the one with the lower address goes on, the other ends and is started anew, alone.
        if (lost == 0)
        {
            await Poll.UntilAsync(() => tier[survivor].HasExited, Tier.Patience, () => tier.Text);
            Assert.NotEqual(0, await tier[survivor].ExitAsync());
            Assert.Contains(tier[survivor].Lines, line => line.Contains("the cluster has removed this aggregator", StringComparison.Ordinal));
            tier.Start(survivor);
            await tier[survivor].WaitForLineAsync("aggregating;");
        }

        var before = tier.Oracle.Acknowledged;
        var late = tier.AddCollector(options => options with { Addresses = [options.Addresses[survivor]] });
        await Poll.UntilAsync(() => tier.Oracle.Acknowledged > before + 10 && late.Connections > 0, Tier.Patience * 2, () => tier.Text);
        Assert.False(tier[survivor].HasExited, tier.Text);
        tier.Start(lost);
        await tier.AllUpAsync();

        var verdict = await tier.JudgeAsync();
        Scenario.Report(34, "each of 2 aggregators in turn is lost, and later comes back", verdict, "the one with the lower address goes on alone; the other says why, exits with 1 and, started anew, goes on alone");
    }

    [Fact]
    public async Task An_aggregator_that_left_for_good_is_taken_out_of_the_list_at_a_reload()
    {
        await using var tier = await Tier.StartAsync(new TierOptions { Nodes = 2 });
        tier.AddCollectors(10);
        await Scenario.LastAsync(TimeSpan.FromSeconds(3));
        await tier.StopAsync(1);
        var config = await File.ReadAllTextAsync(tier.ConfigFile(0));
        await File.WriteAllTextAsync(tier.ConfigFile(0), config.Replace($", \"{tier.Nodes[1].Address}:4054\"", "", StringComparison.Ordinal));
        tier[0].HangUp();
        await Poll.UntilAsync(async () => await tier.SumAsync(0, "actorprofiler_config_last_load_successful") == 1, Tier.Patience, () => tier.Text);
        await tier.DrainCollectorsAsync();
        Assert.All(tier.Collectors, collector => Assert.Equal(0, collector.Unsettled));
        tier.Start(1);
        await tier.AllUpAsync();

        await tier.JudgeAsync();
    }

    [Fact]
    [Trait("scenario", "19")]
    public async Task An_aggregator_stands_still_and_goes_on()
    {
        await using var tier = await Tier.StartAsync(new TierOptions { Nodes = 3 });
        tier.AddCollectors(15);
        await Scenario.LastAsync(TimeSpan.FromSeconds(3));
        var still = Scenario.Seconds(12);
        await SignalAsync(tier[1].Pid, "STOP");
        await Scenario.LastAsync(still);
        await SignalAsync(tier[1].Pid, "CONT");
        await Scenario.LastAsync(TimeSpan.FromSeconds(5));

        await RestartEndedAsync(tier);
        var verdict = await tier.JudgeAsync();
        Assert.True(verdict.Resent > 0, "no batch was ever sent again: nothing was tried");
        Scenario.Report(19, $"SIGSTOP of one of 3 aggregators for {still.TotalSeconds} s", verdict, "");
    }

    [Theory]
    [Trait("scenario", "31")]
    [InlineData(1, 30)]
    [InlineData(3, 60)]
    [InlineData(5, 100)]
    public async Task Kill_9_of_any_aggregator_of_a_tier_at_random_moments(int nodes, int collectors)
    {
        await using var tier = await Tier.StartAsync(new TierOptions { Nodes = nodes });
        tier.AddCollectors(collectors, options => options with { Every = TimeSpan.FromMilliseconds(500) });
        var (kills, dead) = (Scenario.Times(6), new HashSet<int>());
        for (var i = 0; i < kills; i++)
        {
            await Scenario.LastAsync(TimeSpan.FromMilliseconds(500 + Random.Shared.Next(5000)));
            var node = Random.Shared.Next(nodes);
            if (dead.Add(node))
            {
                await tier.KillAsync(node);
            }

            // Sometimes two are down at the same time.
            if (dead.Count > 1 || Random.Shared.Next(2) == 0 || nodes == 1)
            {
                foreach (var down in dead)
                {
                    tier.Start(down);
                }

                dead.Clear();
            }
        }

        await RestartEndedAsync(tier);
        var verdict = await tier.JudgeAsync();
        Assert.True(verdict.Resent > 0, "no batch was ever sent again: nothing was tried");
        var memory = Enumerable.Range(0, nodes).Max(tier.Memory);
        Scenario.Report(30 + nodes, $"{collectors} collectors, `kill -9` of any of {nodes} aggregators × {kills}", verdict, $"RSS ≤ {memory:0} MiB");
    }

    /// <summary>The balance of all aggregators of a tier, by the product's own command.</summary>
    private static async Task AuditAsync(Tier tier)
    {
        using var audit = ServiceProcess.Start(null, ["audit", .. tier.Nodes.Select(node => $"http://{node.Address}:4041")]);
        Assert.True(await audit.ExitAsync() == 0, audit.Text);
        Assert.All(tier.Nodes, node => Assert.Contains(audit.Lines, line => line.Contains(node.Address, StringComparison.Ordinal)));
        Assert.Equal("balanced", audit.Lines[^1]);
    }

    /// <summary>As a service manager does: what has ended is started anew.</summary>
    internal static async Task RestartEndedAsync(Tier tier)
    {
        for (var node = 0; node < tier.Nodes.Count; node++)
        {
            if (tier[node].HasExited)
            {
                tier.Start(node);
            }
        }

        await tier.AllUpAsync();
    }

    internal static async Task SignalAsync(int pid, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{pid}"]);
        await kill.WaitForExitAsync();
        Assert.Equal(0, kill.ExitCode);
    }
}
