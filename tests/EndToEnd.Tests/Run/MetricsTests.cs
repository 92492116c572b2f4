using System.Diagnostics;

namespace ActorProfiler.Tests.Run;

public sealed class MetricsTests : IDisposable
{
    private static readonly HttpClient _http = new();

    private readonly TemporaryFolder _data = new();

    public void Dispose() => _data.Dispose();

    [Theory]
    [InlineData("all")]
    [InlineData("collector")]
    [InlineData("aggregator")]
    public async Task Promtool_has_nothing_to_say(string role)
    {
        Requirements.Bpf();
        Requirements.Tool("promtool", "prometheus");
        using var network = Network.Create();
        var node = network.Add();
        await using var server = await FakePyroscope.StartAsync($"{network.Address}:0");
        using var service = ServiceProcess.Start(
            node, "run", ConfigText.Write(_data, server.Url.ToString(), ConfigText.Aggregators("127.0.0.1:9")), "--role", role, "--data-dir", _data.Path, "--http.listen", $"{node.Address}:4041");

        // The full set of a role that samples: with a push when there is somebody to push to.
        var address = $"{node.Address}:4041";
        await Poll.UntilAsync(async () => await MetricsPage.TryReadAsync(address) is { } page && IsComplete(page), TimeSpan.FromSeconds(30), () => service.Text);
        var (exit, output) = await CheckAsync((await MetricsPage.ReadAsync(address)).Text);

        Assert.Equal((0, ""), (exit, output));

        bool IsComplete(MetricsPage page) => role switch
        {
            "all" => page.Sum("pyroscope_write_sent_profiles_total") > 0,
            "collector" => page.Sum("pyroscope_ebpf_profiling_sessions_total") > 1,
            _ => true,
        };
    }

    [Fact]
    public async Task A_running_service_is_ready_healthy_and_balances()
    {
        Requirements.Bpf();
        using var network = Network.Create();
        var node = network.Add();
        await using var server = await FakePyroscope.StartAsync($"{network.Address}:0");
        var address = $"{node.Address}:4041";
        using var service = ServiceProcess.Start(
            node, "run", ConfigText.Write(_data, server.Url.ToString()), "--data-dir", _data.Path, "--http.listen", address);
        await Poll.UntilAsync(() => server.Pushes.Count > 2, TimeSpan.FromSeconds(30), () => service.Text);

        using var audit = ServiceProcess.Start(node, "audit", $"http://{address}");

        Assert.Equal(0, await audit.ExitAsync());
        Assert.Equal("balanced", audit.Lines[^1]);
        Assert.Equal("ActorProfiler is healthy.\n", await _http.GetStringAsync($"http://{address}/-/healthy"));
        Assert.Equal("ActorProfiler is ready.\n", await _http.GetStringAsync($"http://{address}/-/ready"));

        server.Intercept = async context =>
        {
            await FakePyroscope.AnswerAsync(context, 401, "unauthenticated", "no such user");
            return true;
        };
        await Poll.UntilAsync(
            async () => await (await _http.GetAsync($"http://{address}/-/healthy")).Content.ReadAsStringAsync() is var text && text.Contains("no such user", StringComparison.Ordinal),
            TimeSpan.FromSeconds(20),
            () => service.Text);
    }

    private static async Task<(int Exit, string Output)> CheckAsync(string metrics)
    {
        using var promtool = Process.Start(new ProcessStartInfo("promtool", ["check", "metrics"])
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        })!;
        await promtool.StandardInput.WriteAsync(metrics);
        promtool.StandardInput.Close();
        var output = await promtool.StandardOutput.ReadToEndAsync() + await promtool.StandardError.ReadToEndAsync();
        await promtool.WaitForExitAsync();
        return (promtool.ExitCode, output);
    }
}
