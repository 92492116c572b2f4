using System.Diagnostics;
using System.Text;
using ActorProfiler.Aggregator;
using Prometheus;

namespace ActorProfiler.Tests;

public class AggregatorMetricsTests
{
    [Fact]
    public async Task Promtool_finds_nothing_wrong_with_our_metrics()
    {
        Requirements.Tool("promtool", "prometheus");
        var text = (await ExposeAsync()).Split('\n').Where(line => line.Contains("actorprofiler_", StringComparison.Ordinal));

        using var promtool = Process.Start(new ProcessStartInfo("promtool", ["check", "metrics"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        await promtool.StandardInput.WriteAsync(string.Join('\n', text) + "\n");
        promtool.StandardInput.Close();
        var said = await promtool.StandardOutput.ReadToEndAsync() + await promtool.StandardError.ReadToEndAsync();

        Assert.Equal("", said);
    }

    [Fact]
    public async Task Has_the_fan_out_latency_of_the_original()
    {
        var text = await ExposeAsync();

        Assert.Contains("# HELP pyroscope_fanout_latency Write latency for sending to pyroscope profiles\n", text);
        Assert.Contains("pyroscope_fanout_latency_bucket{le=\"0.005\"} 0\n", text);
        Assert.Contains("pyroscope_fanout_latency_bucket{le=\"10\"} 1\n", text);
    }

    private static async Task<string> ExposeAsync()
    {
        var registry = Metrics.NewCustomRegistry();
        var metrics = new AggregatorMetrics(Metrics.WithCustomRegistry(registry));
        metrics.FanoutLatency.Observe(1);
        metrics.Dropped.WithLabels("a", "expired").Inc();
        metrics.WriteSeconds.WithLabels("a").Observe(1);
        using var stream = new MemoryStream();
        await registry.CollectAndExportAsTextAsync(stream);
        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
