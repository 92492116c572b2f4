using System.Diagnostics;
using ActorProfiler.Aggregator.Outbox;
using ActorProfiler.Tests.Run;

namespace ActorProfiler.Tests.Faults;

/// <summary>Disks that are full, fail, or change what is on them.</summary>
public sealed class DiskFaultTests
{
    [Fact]
    [Trait("scenario", "20")]
    [Trait("speed", "fast")]
    public async Task The_outbox_disk_is_full_and_then_not()
    {
        Requirements.Mount();
        SmallDisk? disk = null;
        await using var tier = await Tier.StartAsync(new TierOptions { Prepare = tier => disk = new SmallDisk(tier.DataFolder(0), megabytes: 16) });
        using var unmount = disk!;
        tier.AddCollectors(10);
        await Scenario.LastAsync(TimeSpan.FromSeconds(2));
        disk!.Fill();
        await Poll.UntilAsync(async () => (await HealthAsync(tier)).Contains("outbox disk", StringComparison.Ordinal), Tier.Patience, () => tier.Text);
        var full = tier.Oracle.Acknowledged;
        await Scenario.LastAsync(Scenario.Seconds(5));
        var meanwhile = tier.Oracle.Acknowledged - full;
        disk.Free();
        await Poll.UntilAsync(() => tier.Oracle.Acknowledged > full + meanwhile, Tier.Patience, () => tier.Text);
        await Poll.UntilAsync(async () => !(await HealthAsync(tier)).Contains("outbox disk", StringComparison.Ordinal), Tier.Patience, () => tier.Text);

        var verdict = await tier.JudgeAsync();
        Scenario.Report(20, "the outbox's disk is full, then not", verdict, $"{meanwhile} batches acknowledged meanwhile; no restart; `/-/healthy` names it");
    }

    [Theory]
    [Trait("scenario", "21")]
    [InlineData("fsync,fdatasync:error=EIO:when=8", "one fsync fails with EIO")]
    [InlineData("pwrite64:error=ENOSPC:when=10+20", "5 % of writes fail with ENOSPC")]
    public async Task The_disk_fails_at_times(string injection, string fault)
    {
        Requirements.Tool("strace", "strace");
        var calls = injection[..injection.IndexOf(':', StringComparison.Ordinal)];
        await using var tier = await Tier.StartAsync(new TierOptions
        {
            Launcher = [Requirements.FindOnPath("strace")!, "-D", "-f", "-qq", "-o", "/dev/null", "-e", $"trace={calls}", "-e", $"inject={injection}"],
        });
        tier.AddCollectors(5);
        await Poll.UntilAsync(() => tier[0].Lines.Any(line => line.Contains("to the outbox", StringComparison.Ordinal)), Tier.Patience, () => tier.Text);
        await Scenario.LastAsync(Scenario.Seconds(5));

        var verdict = await tier.JudgeAsync();
        var failures = await tier.SumAsync(0, "actorprofiler_outbox_commit_failures_total");
        Assert.True(failures > 0, "no commit failed: nothing was tried");
        Assert.False(tier[0].HasExited, tier.Text);
        Scenario.Report(21, "the outbox's disk fails: one fsync with EIO; 5 % of writes with ENOSPC", verdict, $"{fault}: {failures} failed commits tried again, nothing in them acknowledged; no restart");
    }

    [Fact]
    [Trait("scenario", "22")]
    public async Task The_outbox_is_changed_while_the_aggregator_is_down()
    {
        var seen = new List<string>();
        Verdict? verdict = null;
        foreach (var bits in new[] { 10, 1000 })
        {
            await using var tier = await Tier.StartAsync(new TierOptions { SeriesPerCollector = 50 });
            PacketFilter.Set(tier.Nodes[0], output: $"tcp dport {tier.Destinations[0].Url.Port} drop");
            tier.AddCollectors(10);
            await Scenario.LastAsync(Scenario.Seconds(6));
            await tier.DrainCollectorsAsync();
            await tier.KillAsync(0);
            var bytes = FlipBits(Path.Combine(tier.DataFolder(0), "aggregator"), bits);
            PacketFilter.Clear(tier.Nodes[0]);
            tier.Start(0);
            await tier.AllUpAsync();

            // What the damage hit is lost and counted to the tick; the rest arrives, nothing is invented and nothing is doubled.
            var counted = (await DroppedTicks.ByReasonAsync(tier)).GetValueOrDefault("damaged");
            verdict = await tier.JudgeAsync(dropped: counted);
            Assert.InRange(counted, 1, tier.Oracle.AcknowledgedTicks);
            Assert.Contains("damaged", await HealthAsync(tier), StringComparison.Ordinal);
            seen.Add($"{bits} bits of {bytes / 1024} KiB: {counted} of {tier.Oracle.AcknowledgedTicks} ticks lost, as many counted");
        }

        Scenario.Report(22, "10 and 1000 bits of the outbox flipped while it was down, nothing pushed before", verdict!, $"starts again; {string.Join("; ", seen)}");
    }

    [Fact]
    [Trait("scenario", "23")]
    public async Task The_power_fails_and_what_was_not_synced_is_gone()
    {
        Requirements.Tool("gcc", "gcc");
        using var folder = new TemporaryFolder();
        var library = Path.Combine(folder.Path, "synced.so");
        using (var gcc = Process.Start("gcc", ["-shared", "-fPIC", "-O1", "-o", library, Path.Combine(AppContext.BaseDirectory, "synced.c"), "-ldl"]))
        {
            await gcc.WaitForExitAsync();
            Assert.Equal(0, gcc.ExitCode);
        }

        await using var tier = await Tier.StartAsync(new TierOptions { Launcher = [Requirements.FindOnPath("env")!, $"LD_PRELOAD={library}"] });
        tier.AddCollectors(10);
        var (losses, forgotten) = (Scenario.Times(5), 0L);
        for (var i = 0; i < losses || (forgotten == 0 && i < 5 * losses); i++)
        {
            await Scenario.LastAsync(TimeSpan.FromMilliseconds(1000 + Random.Shared.Next(2000)));
            await tier.KillAsync(0);
            forgotten += ForgetUnsynced(Path.Combine(tier.DataFolder(0), "aggregator"));
            tier.Start(0);
            await tier.AllUpAsync();
        }

        var verdict = await tier.JudgeAsync();
        Assert.True(forgotten > 0, "everything had been synced: nothing was tried");
        Scenario.Report(23, $"power loss: what was not synced is gone, × {losses}", verdict, $"{forgotten} files were older after it");
    }

    private static long ForgetUnsynced(string folder)
    {
        var changed = 0L;
        foreach (var file in Directory.GetFiles(folder, "outbox*").Where(file => !file.Contains(".synced", StringComparison.Ordinal) && !file.EndsWith(".lock", StringComparison.Ordinal)))
        {
            var synced = file + ".synced";
            if (!File.Exists(synced))
            {
                File.Delete(file);
                continue;
            }

            // The mark at the end is never synced: without it, something was under way.
            changed += new FileInfo(file).Length > new FileInfo(synced).Length + LogFrame.HeaderBytes ? 1 : 0;
            File.Copy(synced, file, overwrite: true);
        }

        return changed;
    }

    private static async Task<string> HealthAsync(Tier tier)
    {
        using var http = new HttpClient();
        using var answer = await http.GetAsync($"http://{tier.Nodes[0].Address}:4041/-/healthy");
        return await answer.Content.ReadAsStringAsync();
    }

    /// <returns>Bytes of the log.</returns>
    private static long FlipBits(string folder, int count)
    {
        var (files, total) = (Directory.GetFiles(folder, "outbox*.log").ToDictionary(path => path, File.ReadAllBytes), 0L);
        var all = files.Values.SelectMany(bytes => Enumerable.Range(0, bytes.Length).Select(i => (bytes, i))).ToList();
        for (var i = 0; i < count; i++)
        {
            var (bytes, at) = all[Random.Shared.Next(all.Count)];
            bytes[at] ^= (byte)(1 << Random.Shared.Next(8));
        }

        foreach (var (path, bytes) in files)
        {
            File.WriteAllBytes(path, bytes);
            total += bytes.Length;
        }

        return total;
    }
}
