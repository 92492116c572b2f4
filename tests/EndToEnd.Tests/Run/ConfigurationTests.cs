using System.Net;

namespace ActorProfiler.Tests.Run;

/// <summary>A configuration file, from its text to what arrives at a server, and what happens when it changes.</summary>
public sealed class ConfigurationTests : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private static readonly int[] _rates = [97, 499, 50];

    private readonly TemporaryFolder _data = new();

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task The_documented_configuration_runs_unchanged_against_a_server_with_TLS_and_basic_authentication()
    {
        Requirements.Bpf();
        using var certificate = TestCertificate.Make();
        var authority = Path.Combine(_data.Path, "ca.pem");
        await File.WriteAllTextAsync(authority, certificate.ExportCertificatePem());
        await using var server = await FakePyroscope.StartAsync(certificate: certificate);
        server.Intercept = async context =>
        {
            var isKnown = context.Request.Headers.Authorization == "Basic " + Convert.ToBase64String("1234:glc_secret"u8);
            if (!isKnown)
            {
                await FakePyroscope.AnswerAsync(context, 401, "unauthenticated", "wrong credentials");
            }

            return !isKnown;
        };
        using var busy = TestPrograms.Start(TestPrograms.CompileC("split", "-O1"), "300");
        var config = Path.Combine(_data.Path, "config.alloy");
        await File.WriteAllTextAsync(config, $$"""
            pyroscope.ebpf "instance" {
              forward_to = [pyroscope.write.endpoint.receiver]
              targets    = [{"__process_pid__" = "{{busy.Pid}}", "service_name" = "busy"}]
            }

            pyroscope.write "endpoint" {
              endpoint {
                basic_auth {
                  password = env("GC_PASSWORD")
                  username = env("GC_USER")
                }
                url = env("GC_URL")
              }
              external_labels = {
                "env"      = "prod",
                "instance" = env("HOSTNAME"),
              }
            }
            """);
        using var service = ServiceProcess.StartWith(
            new Dictionary<string, string>
            {
                ["GC_USER"] = "1234",
                ["GC_PASSWORD"] = "glc_secret",
                ["GC_URL"] = server.Url.ToString(),
                ["HOSTNAME"] = "host-1",
                ["SSL_CERT_FILE"] = authority,
            },
            "run", config, "--data-dir", _data.Path, "--http.listen", "127.0.0.1:0");

        await Poll.UntilAsync(() => server.Pushes.Count > 0, _patience, () => service.Text);
        Assert.Equal(0, await service.StopAsync());

        var labels = Assert.Single(server.Pushes.Select(push => push.Labels).Distinct());
        Assert.Equal("{__name__=\"process_cpu\", env=\"prod\", instance=\"host-1\", service_name=\"busy\"}", labels.ToString());
        Assert.Contains(server.Pushes, push => push.Stacks().Keys.Any(stack => stack.Contains("main", StringComparison.Ordinal)));
        Assert.DoesNotContain("glc_secret", service.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_storm_of_reloads_keeps_the_last_good_configuration_and_loses_no_sample_at_any_rate()
    {
        Requirements.Bpf();
        await using var server = await FakePyroscope.StartAsync();
        var program = Path.Combine(_data.Path, "storm");
        File.Copy(TestPrograms.CompileC("split", "-O1"), program);
        using var busy = TestPrograms.Start(program, "300");
        var config = ConfigText.Write(_data, server.Url.ToString());
        var good = await File.ReadAllTextAsync(config);
        var listen = $"127.0.0.1:{Network.FreePort()}";
        using var service = ServiceProcess.Start(null, "run", config, "--data-dir", _data.Path, "--http.listen", listen);
        await service.WaitForLineAsync("profiling every process");
        var before = busy.CpuTime;
        using var http = new HttpClient { BaseAddress = new Uri($"http://{listen}") };

        for (var i = 0; i < 100; i++)
        {
            var isGood = i % 2 == 0;
            var arguments = $"sample_rate = {_rates[i / 2 % _rates.Length]}\n  demangle = \"{(i % 4 == 0 ? "full" : "templates")}\"\n  targets_only";
            await File.WriteAllTextAsync(config, isGood ? good.Replace("targets_only", arguments, StringComparison.Ordinal) : good + $"\nnonsense \"x{i}\" {{ }}");
            using var answer = await http.PostAsync(new Uri("/-/reload", UriKind.Relative), null);
            var text = await answer.Content.ReadAsStringAsync();
            Assert.Equal(isGood ? (HttpStatusCode.OK, "config reloaded\n") : (HttpStatusCode.BadRequest, text), (answer.StatusCode, text));
            Assert.Equal(!isGood, text.Contains("unrecognized block name \"nonsense\"", StringComparison.Ordinal));
        }

        Assert.Contains("actorprofiler_config_last_load_successful 0", await http.GetStringAsync(new Uri("/metrics", UriKind.Relative)), StringComparison.Ordinal);
        await File.WriteAllTextAsync(config, good);
        service.HangUp();
        await Poll.UntilAsync(
            async () => (await http.GetStringAsync(new Uri("/metrics", UriKind.Relative))).Contains("actorprofiler_config_last_load_successful 1", StringComparison.Ordinal), _patience, () => service.Text);
        var count = server.Pushes.Count;
        await Poll.UntilAsync(() => server.Pushes.Count > count && busy.CpuTime - before > TimeSpan.FromSeconds(3), _patience, () => service.Text);
        busy.Pause();
        var spent = (busy.CpuTime - before).TotalSeconds;
        Assert.Equal(0, await service.StopAsync());

        var (ticks, stored, dropped, waiting) = service.Balance("collector stopped");
        Assert.Equal((ticks, 0), (stored + dropped, waiting));
        var (entered, delivered, refused, left) = service.Balance(server.Url.ToString().TrimEnd('/'));
        Assert.Equal((stored, stored, 0, 0), (entered, delivered, refused, left));

        // Every tick is worth the period of the clock that really ran.
        var pushed = server.Stored.Where(push => push.Labels["service_name"] == "storm").Sum(push => push.Profile.Sample.Sum(sample => sample.Value[0])) / 1e9;
        Assert.InRange(pushed, spent * 0.8, spent * 1.2);
    }
}
