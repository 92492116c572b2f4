using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using ActorProfiler.Tests.Run;

namespace ActorProfiler.Tests.Faults;

/// <summary>Peers, machines and people that do what they should not.</summary>
public sealed class AbuseFaultTests
{
    [Fact]
    [Trait("scenario", "24")]
    public async Task An_aggregator_has_few_file_descriptors_little_memory_and_little_CPU()
    {
        Requirements.Tool("prlimit", "util-linux");
        using var group = ControlGroup.Create(megabytes: 256);
        await using var tier = await Tier.StartAsync(new TierOptions { Outside = group.Launcher, Launcher = [Requirements.FindOnPath("prlimit")!, "--nofile=640:640"] });
        group.Throttle(percentOfCore: 20);
        tier.AddCollectors(20, options => options with { Every = TimeSpan.FromMilliseconds(50) });
        await Scenario.LastAsync(TimeSpan.FromSeconds(3));

        // Idle connections take every descriptor that is left.
        var idle = new List<Socket>();
        for (var i = 0; i < 800; i++)
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Parse(tier.Nodes[0].Address), 4053));
            idle.Add(socket);
        }

        await Scenario.LastAsync(Scenario.Seconds(12));
        idle.ForEach(socket => socket.Dispose());
        var verdict = await tier.JudgeAsync();
        var throttled = group.Throttled;
        Assert.False(tier[0].HasExited, tier.Text);
        Assert.True(throttled > 10, $"throttled {throttled} times: nothing was tried");
        Scenario.Report(
            24, "at most 256 MiB and 20 % of a core by cgroup, and no file descriptors left (640, 800 idle connections), 400 batches/s", verdict,
            $"throttled {throttled} times, no restart; RSS {tier.Memory(0):0} MiB");
        await tier.StopAsync(0);
    }

    [Theory]
    [Trait("scenario", "25")]
    [InlineData(120)]
    [InlineData(-120)]
    [InlineData(11)]
    public async Task A_collectors_clock_is_wrong(int minutesAhead)
    {
        await using var tier = await Tier.StartAsync(new TierOptions());
        tier.AddCollectors(3);
        tier.AddCollector(options => options with { ClockAhead = TimeSpan.FromMinutes(minutesAhead) });
        await Scenario.LastAsync(Scenario.Seconds(6));

        var verdict = await tier.JudgeAsync();
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() * 1_000_000;
        Assert.All(tier.Destinations[0].Stored, push => Assert.InRange(push.Profile.TimeNanos, now - (300L * 1_000_000_000), now + (5L * 1_000_000_000)));
        Scenario.Report(25, "a collector's clock is 2 h ahead, 2 h behind, 11 min ahead", verdict, "no profile outside of the server's window");
    }

    [Fact]
    [Trait("scenario", "26")]
    public async Task Two_collectors_have_one_identity()
    {
        await using var tier = await Tier.StartAsync(new TierOptions { Nodes = 2 });
        var id = RandomNumberGenerator.GetBytes(16);
        var first = tier.AddCollector(options => options with { Id = id, Addresses = [options.Addresses[0]] });
        await Poll.UntilAsync(() => first.Connections > 0, Tier.Patience, () => tier.Text);
        await Scenario.LastAsync(TimeSpan.FromSeconds(2));

        // The copy tries each of the aggregators.
        foreach (var address in tier.Addresses)
        {
            await using var copy = MintingCollector.Start(new Oracle(), new MintingOptions([address], [Labels.LabelSet.Of(("__name__", "process_cpu"), ("service_name", "copy"))]) { Id = id });
            await Poll.UntilAsync(() => copy.LastEnd.StartsWith("AlreadyExists", StringComparison.Ordinal), TimeSpan.FromSeconds(10), () => $"{address}: {copy.LastEnd}\n{tier.Text}");
        }

        var verdict = await tier.JudgeAsync();
        Scenario.Report(26, "two collectors have one identity, at the same and at different aggregators", verdict, "the second is refused within 10 s");
    }

    [Fact]
    [Trait("scenario", "36")]
    public async Task A_collector_sends_more_than_its_quota()
    {
        await using var tier = await Tier.StartAsync(new TierOptions { Cluster = "  quota {\n    ticks_per_second = 40\n  }\n" });
        var greedy = tier.AddCollector(options => options with { Every = TimeSpan.FromMilliseconds(30) });
        var modest = tier.AddCollector(options => options with { Every = TimeSpan.FromSeconds(2) });
        await Poll.UntilAsync(() => greedy.Deferrals > 0, Tier.Patience, () => tier.Text);
        greedy.Pause();
        var deferred = await tier.SumAsync(0, "actorprofiler_ingest_deferred_batches_total");

        var verdict = await tier.JudgeAsync();
        Assert.Equal(0, modest.Deferrals);
        Scenario.Report(36, "a collector sends more than its quota", verdict, $"{deferred} batches sent back for later, none of another collector");
    }

    [Fact]
    [Trait("scenario", "27")]
    public async Task Hostile_bytes_come_to_every_port()
    {
        await using var tier = await Tier.StartAsync(new TierOptions { Nodes = 2 });
        tier.AddCollectors(5);
        await Scenario.LastAsync(TimeSpan.FromSeconds(10));
        var (memory, from) = (tier.Memory(0), TimeProvider.System.GetTimestamp());
        var before = tier.Oracle.AcknowledgementSeconds(0, from);
        var held = new Queue<Socket>();
        var connections = 0;
        for (; connections < Scenario.Times(5000); connections++)
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Parse(tier.Nodes[0].Address), connections % 2 == 0 ? 4053 : 4054));
            held.Enqueue(socket);
            try
            {
                await socket.SendAsync(Hostile(connections));
            }
            catch (SocketException)
            {
                continue; // it was cut off while it spoke: as it should be
            }

            // Up to a thousand stay open on their side.
            if (held.Count > 1000)
            {
                held.Dequeue().Dispose();
            }
        }

        await Scenario.LastAsync(TimeSpan.FromSeconds(3));
        var (grown, until) = (tier.Memory(0) - memory, TimeProvider.System.GetTimestamp());
        foreach (var socket in held)
        {
            socket.Dispose();
        }

        var verdict = await tier.JudgeAsync();
        var during = tier.Oracle.AcknowledgementSeconds(from, until);
        var (p99Before, p99During) = (Samples.Quantile(before, 0.99), Samples.Quantile(during, 0.99));
        Assert.False(tier[0].HasExited, tier.Text);
        Assert.True(grown < 128, $"RSS grew by {grown:0} MiB");
        Assert.True(p99During < p99Before + 5, $"an honest batch was acknowledged after {p99Before:0.00} s before, {p99During:0.00} s meanwhile");
        Scenario.Report(
            27, $"{connections} connections with hostile bytes, up to 1000 held open: garbage, endless lengths, JSON gadgets, foreign protocols", verdict,
            $"honest batches acknowledged after p99 {p99Before:0.0} → {p99During:0.0} s (window 1 s; {before.Count} and {during.Count} batches); RSS {grown:+0;-0} MiB; no restart");
    }

    [Fact]
    [Trait("scenario", "30")]
    public async Task Configurations_come_one_after_the_other_and_half_are_wrong()
    {
        await using var tier = await Tier.StartAsync(new TierOptions());
        tier.AddCollectors(5);
        var sound = await File.ReadAllTextAsync(tier.ConfigFile(0));
        var reloads = Scenario.Times(60);
        for (var i = 0; i < reloads; i++)
        {
            var seconds = 1 + (i % 3);
            await File.WriteAllTextAsync(tier.ConfigFile(0), i % 2 == 1 ? sound[..(sound.Length / 2)] : sound.Replace("\"1s\"", $"\"{seconds}s\"", StringComparison.Ordinal));
            tier[0].HangUp();
            await Scenario.LastAsync(TimeSpan.FromMilliseconds(50));
        }

        await File.WriteAllTextAsync(tier.ConfigFile(0), sound);
        tier[0].HangUp();

        var verdict = await tier.JudgeAsync();
        Assert.Equal(1, await tier.SumAsync(0, "actorprofiler_config_last_load_successful"));
        Scenario.Report(30, $"{reloads} × SIGHUP, every other file broken", verdict, "the last sound configuration stays");
    }

    private static byte[] Hostile(int kind)
    {
        byte[] length = [0xff, 0xff, 0xff, 0xff];
        byte[] megabyte = [0, 0x10, 0, 0];
        return (kind / 2 % 6) switch
        {
            0 => RandomNumberGenerator.GetBytes(4096),
            1 => [.. length, .. RandomNumberGenerator.GetBytes(2000)],
            2 => [.. megabyte, .. "{\"$type\":\"System.Windows.Data.ObjectDataProvider, PresentationFramework\",\"MethodName\":\"Start\"}"u8],
            3 => Encoding.ASCII.GetBytes($"GET /{new string('a', 3000)} HTTP/1.1\r\nHost: x\r\n\r\n"),
            4 => [.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1, .. RandomNumberGenerator.GetBytes(1000)],
            _ => [0, 0, 0, 8, 0x12, 0x06, 0x08, 0x01, 0x12, 0x02, 0x0a, 0x00],
        };
    }
}
