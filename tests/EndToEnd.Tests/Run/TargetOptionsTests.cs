using System.Text.Json.Nodes;

namespace ActorProfiler.Tests.Run;

/// <summary>Options of single targets and of single blocks.</summary>
public sealed class TargetOptionsTests : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly TemporaryFolder _data = new();

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task Each_target_is_profiled_by_its_own_options()
    {
        Requirements.Bpf();
        Requirements.Tool("python3", "python3");
        var program = TestPrograms.CompileCpp("split", "-O1");
        using var mangled = TestPrograms.Start(program, "300");
        using var demangled = TestPrograms.Start(program, "300");
        using var python = TestPrograms.Start(Requirements.FindOnPath("python3")!, TestPrograms.Source("split.py"), "300");
        using var native = TestPrograms.Start(Requirements.FindOnPath("python3")!, TestPrograms.Source("split.py"), "300");
        await using var server = await FakePyroscope.StartAsync();
        using var service = Start(server, "", [
            $$"""{__process_pid__ = "{{mangled.Pid}}", service_name = "mangled"}""",
            $$"""{__process_pid__ = "{{demangled.Pid}}", service_name = "demangled", __meta_pyroscope_ebpf_options_demangle = "full"}""",
            $$"""{__process_pid__ = "{{python.Pid}}", service_name = "python"}""",
            $$"""{__process_pid__ = "{{native.Pid}}", service_name = "native", __meta_pyroscope_ebpf_options_python_enabled = "false", __meta_pyroscope_ebpf_options_python_full_file_path = "true"}""",
        ]);

        await Poll.UntilAsync(() => Services(server).Distinct().Count() == 4, _patience, () => service.Text);
        var from = server.Pushes.Count;
        await Poll.UntilAsync(() => Services(server).Skip(from).Distinct().Count() == 4, _patience, () => service.Text);
        Assert.Equal(0, await service.StopAsync());

        Assert.Contains("_ZN4rows5Query9run_queryEv", Names(server, "mangled", from));
        Assert.Contains("rows::Query::run_query()", Names(server, "demangled", from));
        Assert.Contains("Query.sort_rows", Names(server, "python", from));
        Assert.DoesNotContain("Query.sort_rows", Names(server, "native", from));
        Assert.Contains("_PyEval_EvalFrameDefault", Names(server, "native", from));
        Assert.Single(service.Lines, line => line.Contains("__meta_pyroscope_ebpf_options_python_full_file_path has no effect", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_symbol_table_of_a_go_program_names_the_c_code_in_it_as_long_as_it_may()
    {
        Requirements.Bpf();
        Requirements.Tool("gcc", "gcc");
        using var busy = TestPrograms.Start(TestPrograms.CompileGo("splitcgo"), "300");
        using var never = TestPrograms.Start(TestPrograms.CompileGo("splitcgo"), "300");
        string[] targets =
        [
            $$"""{__process_pid__ = "{{busy.Pid}}", service_name = "cgo"}""",
            $$"""{__process_pid__ = "{{never.Pid}}", service_name = "never", __meta_pyroscope_ebpf_options_go_table_fallback = "false"}""",
        ];
        await using var server = await FakePyroscope.StartAsync();
        using var service = Start(server, "go_table_fallback = false", targets);
        await Poll.UntilAsync(() => Services(server).Count(name => name == "cgo") > 1, _patience, () => service.Text);
        Assert.Contains("main.hashRows", Names(server, "cgo", 0));
        Assert.DoesNotContain("hash_rows", Names(server, "cgo", 0));

        ConfigText.WriteTargets(_data, server.Url.ToString(), "go_table_fallback = true\n  container_id_cache_size = 1", targets);
        service.HangUp();
        var from = server.Pushes.Count;
        await Poll.UntilAsync(() => Names(server, "cgo", from).Contains("hash_rows"), _patience, () => service.Text);
        await Poll.UntilAsync(() => Services(server).Skip(from).Count(name => name == "never") > 1, _patience, () => service.Text);
        Assert.Equal(0, await service.StopAsync());

        Assert.Contains("main.hashRows", Names(server, "never", from));
        Assert.DoesNotContain("hash_rows", Names(server, "never", 0));
        Assert.DoesNotContain(service.Lines, line => line.Contains("no effect", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Two_blocks_sample_two_processes_each_at_its_rate_and_send_them_each_its_way()
    {
        Requirements.Bpf();
        var program = TestPrograms.CompileC("split", "-O1");
        using var often = TestPrograms.Start(program, "300");
        using var seldom = TestPrograms.Start(program, "300");
        await using var first = await FakePyroscope.StartAsync();
        await using var second = await FakePyroscope.StartAsync();
        var config = Path.Combine(_data.Path, "two.alloy");
        await File.WriteAllTextAsync(config, $$"""
            pyroscope.ebpf "often" {
              targets          = [{__process_pid__ = "{{often.Pid}}", service_name = "often"}]
              forward_to       = [pyroscope.write.first.receiver, pyroscope.relabel.named.receiver]
              sample_rate      = 500
              collect_interval = "1s"
            }
            pyroscope.ebpf "seldom" {
              targets     = [{__process_pid__ = "{{seldom.Pid}}", service_name = "seldom"}]
              forward_to  = [pyroscope.write.first.receiver]
              sample_rate = 50
            }
            pyroscope.relabel "named" {
              forward_to = [pyroscope.write.second.receiver]
              rule {
                target_label = "way"
                replacement  = "second"
              }
            }
            pyroscope.write "first" {
              endpoint {
                url = "{{first.Url}}"
              }
            }
            pyroscope.write "second" {
              endpoint {
                url = "{{second.Url}}"
              }
            }
            """);
        using var service = ServiceProcess.Start(null, "run", config, "--data-dir", _data.Path, "--http.listen", "127.0.0.1:0");
        await service.WaitForLineAsync("profiling the targets at 500 Hz");
        var before = seldom.CpuTime;
        await Poll.UntilAsync(() => seldom.CpuTime - before > TimeSpan.FromSeconds(3), _patience, () => service.Text);
        seldom.Pause();
        var spent = (seldom.CpuTime - before).TotalSeconds;
        Assert.Equal(0, await service.StopAsync());

        Assert.Equal(["often", "seldom"], Services(first).Distinct().Order(StringComparer.Ordinal));
        Assert.Equal(["{__name__=\"process_cpu\", service_name=\"often\", way=\"second\"}"], second.Pushes.Select(push => push.Labels.ToString()).Distinct());
        var pushed = first.Stored.Where(push => push.Labels["service_name"] == "seldom").Sum(push => push.Profile.Sample.Sum(sample => sample.Value[0])) / 1e9;
        Assert.InRange(pushed, spent * 0.75, spent * 1.25);
        Assert.Equal(0, service.Balance("collector stopped").Waiting);
    }

    [Fact]
    public async Task Series_that_meet_at_a_destination_lose_nothing_there_and_the_page_counts_a_process_of_two_blocks_once()
    {
        Requirements.Bpf();
        var program = TestPrograms.CompileC("split", "-O1");
        using var one = TestPrograms.Start(program, "300");
        using var two = TestPrograms.Start(program, "300");
        await using var merged = await FakePyroscope.StartAsync();
        await using var other = await FakePyroscope.StartAsync();
        var config = Path.Combine(_data.Path, "ways.alloy");
        await File.WriteAllTextAsync(config, $$"""
            pyroscope.ebpf "both" {
              targets          = [{__process_pid__ = "{{one.Pid}}", service_name = "web", pod = "1"}, {__process_pid__ = "{{two.Pid}}", service_name = "web", pod = "2"}]
              forward_to       = [pyroscope.relabel.merged.receiver, pyroscope.write.other.receiver]
              collect_interval = "1s"
            }
            pyroscope.ebpf "again" {
              targets    = [{__process_pid__ = "{{one.Pid}}", service_name = "web", pod = "1"}]
              forward_to = [pyroscope.write.other.receiver]
            }
            pyroscope.aggregate "window" {
              window     = "1s"
              forward_to = []
            }
            pyroscope.relabel "merged" {
              forward_to = [pyroscope.write.merged.receiver]
              rule {
                action = "labeldrop"
                regex  = "pod"
              }
            }
            pyroscope.write "merged" {
              endpoint {
                url = "{{merged.Url}}"
              }
            }
            pyroscope.write "other" {
              endpoint {
                url = "{{other.Url}}"
              }
            }
            """);
        var listen = $"127.0.0.1:{Network.FreePort()}";
        using var service = ServiceProcess.Start(null, "run", config, "--data-dir", _data.Path, "--http.listen", listen);
        await Poll.UntilAsync(() => other.Pushes.Select(push => push.Labels).Distinct().Count() == 2 && other.Pushes.Count > 2, _patience, () => service.Text);
        one.Pause();
        two.Pause();

        // Windows are still open; when the last has closed, all three have got the same.
        using var http = new HttpClient { BaseAddress = new Uri($"http://{listen}") };
        var shown = 0d;
        await Poll.UntilAsync(
            async () =>
            {
                var page = JsonNode.Parse(await http.GetStringAsync(new Uri("/api/v1/services", UriKind.Relative)))!;
                shown = page["services"]!.AsArray().Single(row => (string?)row!["name"] == "web")!["cpuSeconds"]!.GetValue<double>();
                return Math.Abs(shown - (merged.StoredNanos / 1e9)) < 0.0005 && Math.Abs(shown - (other.StoredNanos / 1e9)) < 0.0005;
            }, _patience, () => $"{shown} s shown, {merged.StoredNanos} and {other.StoredNanos} ns stored\n{service.Text}");
        var series = await http.GetStringAsync(new Uri("/api/v1/series?service=web", UriKind.Relative));
        Assert.Equal(0, await service.StopAsync());

        Assert.Equal(merged.Pushes.Count, merged.Stored.Count);
        Assert.Equal(["{__name__=\"process_cpu\", service_name=\"web\"}"], merged.Pushes.Select(push => push.Labels.ToString()).Distinct());
        Assert.DoesNotContain("__pyroscope_ebpf__", series, StringComparison.Ordinal);
    }

    private static IEnumerable<string> Services(FakePyroscope server) => server.Pushes.Select(push => push.Labels["service_name"]);

    private static IReadOnlyList<string> Names(FakePyroscope server, string service, int from) =>
        [.. server.Pushes.Skip(from).Where(push => push.Labels["service_name"] == service).SelectMany(push => push.Names()).Distinct()];

    private ServiceProcess Start(FakePyroscope server, string arguments, string[] targets) =>
        ServiceProcess.Start(null, "run", ConfigText.WriteTargets(_data, server.Url.ToString(), arguments, targets), "--data-dir", _data.Path, "--http.listen", "127.0.0.1:0");
}
