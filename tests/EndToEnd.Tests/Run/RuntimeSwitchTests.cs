using ActorProfiler.Tests.Record;

namespace ActorProfiler.Tests.Run;

/// <summary>Asking runtimes for names is switched while samples flow. Alone, for every collector on the host asks them.</summary>
[Collection(nameof(Alone))]
public sealed class RuntimeSwitchTests : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly TemporaryFolder _data = new();

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task The_runtime_of_dotnet_is_asked_for_names_as_long_as_the_configuration_says_so()
    {
        Requirements.Bpf();
        using var busy = TestPrograms.StartDotNet("300");
        var map = $"/tmp/perf-{busy.Pid}.map";
        var target = $$"""{__process_pid__ = "{{busy.Pid}}", service_name = "dotnet"}""";
        await using var server = await FakePyroscope.StartAsync();
        var config = ConfigText.WriteTargets(_data, server.Url.ToString(), "dotnet_enabled = false", target);
        using var service = ServiceProcess.Start(null, "run", config, "--data-dir", _data.Path, "--http.listen", "127.0.0.1:0");
        await Poll.UntilAsync(() => server.Pushes.Count > 1, _patience, () => service.Text);
        Assert.False(File.Exists(map));

        ConfigText.WriteTargets(_data, server.Url.ToString(), "dotnet_enabled = true", target);
        service.HangUp();
        await Poll.UntilAsync(() => server.Pushes[^1].Names().Any(IsMethod), _patience, () => service.Text);
        Assert.True(File.Exists(map));

        // Another collector, which comes and goes, leaves on what it found on.
        using var other = new Recorder();
        Assert.Contains(other.Record(busy.Pid, "2s").Profile.StringTable, IsMethod);
        Assert.True(File.Exists(map));

        ConfigText.WriteTargets(_data, server.Url.ToString(), "dotnet_enabled = false", target);
        service.HangUp();
        await Poll.UntilAsync(() => !File.Exists(map) && !server.Pushes[^1].Names().Any(IsMethod), _patience, () => service.Text);
        Assert.Equal(0, await service.StopAsync());

        static bool IsMethod(string name) => name.Contains("Queries::SortRows", StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_jvm_is_asked_for_names_as_long_as_the_configuration_says_so()
    {
        Requirements.Bpf();
        Requirements.Tool("java", "openjdk-17-jdk-headless");
        using var busy = TestPrograms.Start(Requirements.FindOnPath("java")!, "-XX:CompileCommand=quiet", "-XX:CompileCommand=dontinline,Split.*", TestPrograms.Source("Split.java"), "300");
        var target = $$"""{__process_pid__ = "{{busy.Pid}}", service_name = "java"}""";
        await using var server = await FakePyroscope.StartAsync();
        var config = ConfigText.WriteTargets(_data, server.Url.ToString(), "hotspot_enabled = false", target);
        using var service = ServiceProcess.Start(null, "run", config, "--data-dir", _data.Path, "--http.listen", "127.0.0.1:0");
        await Poll.UntilAsync(() => server.Pushes.Count > 2, _patience, () => service.Text);
        Assert.DoesNotContain(server.Pushes, push => push.Names().Any(IsMethod));

        ConfigText.WriteTargets(_data, server.Url.ToString(), "hotspot_enabled = true", target);
        service.HangUp();
        await Poll.UntilAsync(() => server.Pushes[^1].Names().Any(IsMethod), _patience, () => service.Text);

        ConfigText.WriteTargets(_data, server.Url.ToString(), "hotspot_enabled = false", target);
        service.HangUp();
        await Poll.UntilAsync(() => !server.Pushes[^1].Names().Any(IsMethod), _patience, () => service.Text);
        Assert.Equal(0, await service.StopAsync());

        static bool IsMethod(string name) => name.Contains("Split.", StringComparison.Ordinal);
    }
}

/// <summary>Tests during which no other runs.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
