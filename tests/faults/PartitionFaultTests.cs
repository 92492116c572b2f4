using System.Net;
using ActorProfiler.Tests.Run;

namespace ActorProfiler.Tests.Faults;

/// <summary>Networks that lose packets, directions, or everything.</summary>
public sealed class PartitionFaultTests
{
    [Fact]
    [Trait("scenario", "15")]
    [Trait("speed", "fast")]
    public async Task Collectors_and_aggregators_are_cut_off_from_each_other()
    {
        await using var tier = await Tier.StartAsync(new TierOptions());
        tier.AddCollectors(10);
        await Scenario.LastAsync(TimeSpan.FromSeconds(2));
        var cut = Scenario.Seconds(12);
        Network.Connect(tier.Nodes[0], up: false);
        await Scenario.LastAsync(cut);
        var healed = TimeProvider.System.GetTimestamp();
        var before = tier.Oracle.Acknowledged;
        Network.Connect(tier.Nodes[0], up: true);
        await Poll.UntilAsync(() => tier.Oracle.Acknowledged > before, Tier.Patience, () => tier.Text);
        var back = TimeProvider.System.GetElapsedTime(healed);

        var verdict = await tier.JudgeAsync();
        Assert.True(verdict.Resent > 0, "no batch was ever sent again: nothing was tried");
        Assert.True(back < TimeSpan.FromSeconds(30), $"the first acknowledgement after the partition took {back.TotalSeconds:0.0} s");
        Scenario.Report(15, $"partition of collectors and aggregator, {cut.TotalSeconds} s", verdict, $"acknowledged again after {back.TotalSeconds:0.0} s");
    }

    [Fact]
    [Trait("scenario", "16")]
    public async Task One_of_three_aggregators_is_cut_off_from_the_others()
    {
        await using var tier = await Tier.StartAsync(new TierOptions { Nodes = 3 });
        tier.AddCollectors(15);
        await Scenario.LastAsync(TimeSpan.FromSeconds(3));
        var others = string.Join(", ", tier.Nodes.Skip(1).Select(node => node.Address));
        PacketFilter.Set(tier.Nodes[0], $"ip saddr {{ {others} }} drop", $"ip daddr {{ {others} }} drop");
        await Poll.UntilAsync(() => tier[0].HasExited, Tier.Patience, () => tier.Text);
        Assert.True(tier[0].Lines.Any(line => line.Contains("the cluster has removed this aggregator", StringComparison.Ordinal)), tier.Text);
        PacketFilter.Clear(tier.Nodes[0]);
        await NodeFaultTests.RestartEndedAsync(tier);

        var verdict = await tier.JudgeAsync();
        Assert.True(verdict.Resent > 0, "no batch was ever sent again: nothing was tried");
        Scenario.Report(16, "partition 2 : 1 of aggregators, until the one has ended itself", verdict, "the minority stops and is started anew");
    }

    [Fact]
    [Trait("scenario", "17")]
    public async Task An_aggregator_hears_and_is_not_heard()
    {
        await using var tier = await Tier.StartAsync(new TierOptions());
        var collector = tier.AddCollector();
        tier.AddCollectors(5);
        await Poll.UntilAsync(() => collector.Connections > 0, Tier.Patience, () => tier.Text);
        await Scenario.LastAsync(TimeSpan.FromSeconds(2));
        PacketFilter.Set(tier.Nodes[0], output: "tcp sport 4053 drop");
        var cut = TimeProvider.System.GetTimestamp();
        await Poll.UntilAsync(() => collector.LastEnd.Length > 0, Tier.Patience, () => tier.Text);
        var noticed = TimeProvider.System.GetElapsedTime(cut);
        PacketFilter.Clear(tier.Nodes[0]);

        var verdict = await tier.JudgeAsync();
        Assert.True(noticed < TimeSpan.FromSeconds(15), $"noticed after {noticed.TotalSeconds:0.0} s");
        Assert.True(verdict.Resent > 0, "no batch was ever sent again: nothing was tried");
        Scenario.Report(17, "one-way partition: half-open connections", verdict, $"noticed after {noticed.TotalSeconds:0.0} s");
    }

    [Fact]
    [Trait("scenario", "37")]
    public async Task A_line_between_collectors_and_aggregator_is_cut_reset_frozen_and_late()
    {
        await using var tier = await Tier.StartAsync(new TierOptions());
        await using var line = FaultProxy.Start(tier.Network.Address, new IPEndPoint(IPAddress.Parse(tier.Nodes[0].Address), 4053));
        var address = new Uri($"http://{line.Address}");
        tier.AddCollectors(5, options => options with { Addresses = [address] });
        for (var i = 0; i < 8; i++)
        {
            (line.Delay, line.ByteLimit, line.IsBlackHole) = (TimeSpan.FromMilliseconds(i % 4 == 3 ? 300 : 0), i % 4 == 1 ? 4096 : null, i % 4 == 2);
            if (i % 4 == 0)
            {
                line.Freeze();
            }

            await Scenario.LastAsync(TimeSpan.FromSeconds(1));
            line.Thaw();
            line.Cut(reset: i % 2 == 0);
        }

        (line.Delay, line.ByteLimit, line.IsBlackHole) = (TimeSpan.Zero, null, false);
        var verdict = await tier.JudgeAsync();
        Assert.True(verdict.Resent > 0, "no batch was ever sent again: nothing was tried");
        Scenario.Report(37, "a line that is cut, reset, frozen, swallows, or is 300 ms late, 2 × each", verdict, $"{line.Taken} connections of 5 collectors");
    }

    [Fact]
    [Trait("scenario", "18")]
    public async Task A_line_loses_packets_and_is_slow()
    {
        await using var tier = await Tier.StartAsync(new TierOptions());
        tier.AddCollectors(5);
        await Scenario.LastAsync(TimeSpan.FromSeconds(2));
        PacketFilter.Set(tier.Nodes[0], "numgen random mod 100 < 30 drop");
        PacketFilter.Limit(tier.Nodes[0], 1_000_000);
        var during = Scenario.Seconds(20);
        var before = tier.Oracle.Acknowledged;
        await Scenario.LastAsync(during);
        var through = tier.Oracle.Acknowledged - before;
        PacketFilter.Clear(tier.Nodes[0]);
        PacketFilter.Unlimit(tier.Nodes[0]);

        var verdict = await tier.JudgeAsync();
        Assert.True(through > 0, "nothing came through");
        Scenario.Report(18, $"30 % of packets lost, 1 Mbit/s, {during.TotalSeconds} s", verdict, $"{through} batches acknowledged meanwhile");
    }

    [Fact]
    [Trait("scenario", "32")]
    public async Task Memory_stays_bounded_while_peers_and_destinations_are_unreachable()
    {
        await using var tier = await Tier.StartAsync(new TierOptions { Nodes = 3, SeriesPerCollector = 20 });
        var port = tier.Destinations[0].Url.Port.ToString();
        tier.AddCollectors(20, options => options with { Every = TimeSpan.FromMilliseconds(50), ResendAfter = TimeSpan.FromSeconds(8) });
        await Scenario.LastAsync(TimeSpan.FromSeconds(5));

        // Nobody hears of anybody: connections stay open and silent. Collectors lose their streams now and then, so that everything is in doubt.
        var before = Enumerable.Range(0, 3).Max(tier.Memory);
        foreach (var node in tier.Nodes)
        {
            PacketFilter.Set(node, $"tcp sport 4054 drop\ntcp dport 4054 drop\ntcp sport {port} drop");
        }

        var most = before;
        for (var i = 0; i < Scenario.Times(12); i++)
        {
            await Scenario.LastAsync(TimeSpan.FromSeconds(5));
            for (var node = 0; node < 3; node++)
            {
                // Those that saw nobody any more end themselves, and are started anew as by a service manager.
                if (tier[node].HasExited)
                {
                    tier.Start(node);
                }

                most = Math.Max(most, tier.Memory(node));
            }
        }

        foreach (var node in tier.Nodes)
        {
            PacketFilter.Clear(node);
        }

        await NodeFaultTests.RestartEndedAsync(tier);
        var verdict = await tier.JudgeAsync();
        Assert.True(most < before + 400, $"RSS grew from {before:0} to {most:0} MiB");
        Scenario.Report(32, $"peers and destination unreachable without a word, {Scenario.Times(12) * 5} s, 400 batches/s", verdict, $"RSS {before:0} → ≤ {most:0} MiB");
    }
}
