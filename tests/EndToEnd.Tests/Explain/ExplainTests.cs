using ActorProfiler.Tests.Run;

namespace ActorProfiler.Tests.Explain;

public sealed class ExplainTests : IDisposable
{
    private readonly TemporaryFolder _data = new();
    private readonly TestPrograms.RunningProgram _idle = TestPrograms.Start(TestPrograms.CompileC("idle"));

    public void Dispose()
    {
        _idle.Dispose();
        _data.Dispose();
    }

    [Fact]
    public async Task Shows_the_way_of_a_process_from_discovery_to_each_endpoint()
    {
        var lines = await ExplainAsync($"{_idle.Pid}");

        Assert.Contains(lines, line => line.StartsWith($"process {_idle.Pid}: ", StringComparison.Ordinal) && line.EndsWith("/idle", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("discovery.process.all: ", StringComparison.Ordinal) && line.EndsWith(" targets, 1 of them name this process", StringComparison.Ordinal));
        Assert.Contains("  rule 1 (replace): service_name = \"idle\", was \"\"", lines);
        Assert.Equal(
            [
                "pyroscope.ebpf.one: matched by its pid, which 1 of 1 targets name",
                "pyroscope.relabel:",
                "  rule 1 (replace): via = \"host\", was \"\"",
                $$"""  kept: {__name__="process_cpu", __process_pid__="{{_idle.Pid}}", service_name="idle", via="host"}""",
                """series {__name__="process_cpu", service_name="idle", via="host"}""",
                "  97 Hz per CPU, one tick in 5 kept",
                "to http://127.0.0.1:9/a",
                "to http://127.0.0.1:9/b: left out",
                """  rule 1 (keep) drops {__name__="process_cpu", service_name="idle", via="host"}""",
                $"pyroscope.ebpf.two: not profiled: none of 0 targets has __process_pid__ = \"{_idle.Pid}\", and targets_only is true",
            ],
            lines.SkipWhile(line => !line.StartsWith("pyroscope.ebpf.one", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Names_the_rule_that_drops_a_process()
    {
        var lines = await ExplainAsync($"{Environment.ProcessId}");

        Assert.Contains(lines, line => line.StartsWith("  rule 2 (keep) drops {", StringComparison.Ordinal));
        Assert.Contains($"pyroscope.ebpf.one: not profiled: none of 1 targets has __process_pid__ = \"{Environment.ProcessId}\", and targets_only is true", lines);
    }

    [Fact]
    public async Task Says_that_there_is_no_such_process() =>
        Assert.Equal(["actorprofiler: there is no process 999999999"], await ExplainAsync("999999999", exitCode: 1));

    private async Task<IReadOnlyList<string>> ExplainAsync(string pid, int exitCode = 0)
    {
        var config = Path.Combine(_data.Path, "explained.alloy");
        await File.WriteAllTextAsync(config, $$"""
            discovery.process "all" { }
            discovery.relabel "idle" {
              targets = discovery.process.all.targets
              rule {
                source_labels = ["__meta_process_exe"]
                regex         = ".*/(.+)"
                target_label  = "service_name"
              }
              rule {
                source_labels = ["__process_pid__"]
                regex         = "{{_idle.Pid}}"
                action        = "keep"
              }
            }
            pyroscope.ebpf "one" {
              targets     = discovery.relabel.idle.output
              sample_rate = 19
              forward_to  = [pyroscope.relabel.host.receiver]
            }
            pyroscope.ebpf "two" {
              forward_to = [pyroscope.write.b.receiver]
            }
            pyroscope.relabel "host" {
              forward_to = [pyroscope.write.a.receiver, pyroscope.relabel.others.receiver]
              rule {
                target_label = "via"
                replacement  = "host"
              }
            }
            pyroscope.relabel "others" {
              forward_to = [pyroscope.write.b.receiver]
              rule {
                source_labels = ["service_name"]
                regex         = "other"
                action        = "keep"
              }
            }
            pyroscope.write "a" {
              endpoint {
                url = "http://127.0.0.1:9/a"
              }
            }
            pyroscope.write "b" {
              endpoint {
                url = "http://127.0.0.1:9/b"
              }
            }
            """);
        using var explain = ServiceProcess.Start(null, "explain", pid, config);
        Assert.Equal(exitCode, await explain.ExitAsync());
        return explain.Lines;
    }
}
