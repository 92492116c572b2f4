using ActorProfiler.Tests.Run;

namespace ActorProfiler.Tests.Deploy;

/// <summary>The collector with exactly the rights that its systemd unit and its pod leave it, and a root that cannot be written.</summary>
public sealed class UnitRightsTests : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly TemporaryFolder _data = new();

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task Doctor_misses_nothing()
    {
        using var doctor = Start("doctor");

        Assert.Equal(0, await doctor.ExitAsync());
        Assert.DoesNotContain(doctor.Lines, line => !line.StartsWith("ok ", StringComparison.Ordinal) && !line.Contains("pid namespace", StringComparison.Ordinal) && line != "This host can be profiled.");
        Assert.Contains(doctor.Lines, line => line.Contains("programs load", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_process_is_profiled_with_names_of_the_program_and_the_kernel()
    {
        using var busy = TestPrograms.Start(TestPrograms.CompileC("split", "-O1"), "300");
        await using var server = await FakePyroscope.StartAsync();
        var config = ConfigText.WriteTargets(_data, server.Url.ToString(), "", $$"""{__process_pid__ = "{{busy.Pid}}", service_name = "busy"}""");
        using var service = Start("run", config, "--data-dir", _data.Path, "--http.listen", "127.0.0.1:0");

        await Poll.UntilAsync(() => server.Pushes.SelectMany(push => push.Names()).Contains("sort_rows"), _patience, () => service.Text);
        Assert.Equal(0, await service.StopAsync());
        Assert.Equal(0, service.Balance("collector stopped").Waiting);
    }

    private ServiceProcess Start(params string[] arguments)
    {
        Requirements.Bpf();
        Requirements.Tool("setpriv", "util-linux");
        Requirements.Tool("unshare", "util-linux");
        var unit = File.ReadLines(Path.Combine(Repository.Root, "deploy/actorprofiler-collector.service")).Single(line => line.StartsWith("CapabilityBoundingSet=", StringComparison.Ordinal));
        var capabilities = unit.Split('=')[1].Split(' ').Select(name => $",+{name["CAP_".Length..].ToLowerInvariant()}");
        return ServiceProcess.StartUnder(
            [
                Requirements.FindOnPath("unshare")!, "--mount", "/bin/sh", "-c", "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro / && exec \"$@\"", _data.Path,
                Requirements.FindOnPath("setpriv")!, "--no-new-privs", "--inh-caps", "-all", "--bounding-set", $"-all{string.Concat(capabilities)}",
            ],
            arguments);
    }
}
