using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using ActorProfiler.Labels;
using ActorProfiler.Security;
using ActorProfiler.Tests.Run;

namespace ActorProfiler.Tests.Faults;

/// <summary>Who may speak at the collectors' port, by the certificates of <c>actorprofiler tls</c>.</summary>
public sealed class CertificateTests : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    [Trait("speed", "fast")]
    public async Task An_identity_belongs_to_the_first_certificate_and_certificates_change_without_a_restart()
    {
        var fleet = await MakeFleetAsync("fleet", "host-1", "host-2");
        var port = FreePort();
        var config = Path.Combine(_folder.Path, "tier.alloy");
        await File.WriteAllTextAsync(config, $$"""
            cluster {
              listen = "127.0.0.1:{{port}}"

              tls {
                ca_file   = "{{fleet}}/ca.crt"
                cert_file = "{{fleet}}/aggregator.crt"
                key_file  = "{{fleet}}/aggregator.key"
              }
            }

            """);
        string[] arguments = ["run", config, "--role", "aggregator", "--http.listen", $"127.0.0.1:{FreePort()}", "--data-dir", Path.Combine(_folder.Path, "data")];
        var id = RandomNumberGenerator.GetBytes(16);
        using (var killed = ServiceProcess.Start(null, arguments))
        {
            await killed.WaitForLineAsync("aggregating;");
            await using var owner = Start(port, fleet, "host-1", id);
            await Poll.UntilAsync(() => owner.Connections > 0, _patience, () => $"{owner.LastEnd}\n{killed.Text}");
            await Poll.UntilAsync(() => File.Exists(Path.Combine(_folder.Path, "data", "aggregator", "collector-owners")), _patience, () => killed.Text);
            await killed.KillAsync();
        }

        // Nothing of it is forgotten over a kill.
        using var aggregator = ServiceProcess.Start(null, arguments);
        await aggregator.WaitForLineAsync("aggregating;");

        await using (var other = Start(port, fleet, "host-2", id))
        {
            await Poll.UntilAsync(() => other.LastEnd.StartsWith("PermissionDenied", StringComparison.Ordinal), _patience, () => $"{other.LastEnd}\n{aggregator.Text}");
        }

        // Another authority takes over: what it issued is good from the next connection on, what the first one did is not.
        var next = await MakeFleetAsync("next", "host-1");
        foreach (var name in (string[])["ca.crt", "aggregator.crt", "aggregator.key"])
        {
            File.Copy(Path.Combine(next, name), Path.Combine(fleet, name), overwrite: true);
        }

        await using var renewed = Start(port, next, "host-1", id);
        await Poll.UntilAsync(() => renewed.Connections > 0, _patience, () => $"{renewed.LastEnd}\n{aggregator.Text}");
        await using var outdated = Start(port, fleet, "host-2", RandomNumberGenerator.GetBytes(16));
        await Poll.UntilAsync(() => outdated.LastEnd.Length > 0, _patience, () => aggregator.Text);
        Assert.Equal(0, outdated.Connections);
        Assert.Equal(0, await aggregator.StopAsync());
    }

    [Fact]
    [Trait("speed", "fast")]
    public async Task A_cluster_port_that_is_taken_ends_the_start_with_one_line()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var address = $"127.0.0.1:{((IPEndPoint)taken.LocalEndpoint).Port}";
        var config = Path.Combine(_folder.Path, "taken.alloy");
        await File.WriteAllTextAsync(config, $"cluster {{\n  listen  = \"127.0.0.1:{FreePort()}\"\n  address = \"{address}\"\n}}\n");

        using var aggregator = ServiceProcess.Start(
            null, "run", config, "--role", "aggregator", "--http.listen", $"127.0.0.1:{FreePort()}", "--data-dir", Path.Combine(_folder.Path, "data"));

        Assert.Equal(1, await aggregator.ExitAsync());
        Assert.Contains(aggregator.Lines, line => line.Contains($"listen for other aggregators on {address}: Address already in use", StringComparison.Ordinal));
        Assert.DoesNotContain(aggregator.Lines, line => line.Contains("   at ", StringComparison.Ordinal));
    }

    private static MintingCollector Start(int port, string fleet, string host, byte[] id)
    {
        var folder = Path.Combine(fleet, host);
        return MintingCollector.Start(
            new Oracle(),
            new MintingOptions([new Uri($"https://127.0.0.1:{port}")], [LabelSet.Of(("__name__", "process_cpu"), ("service_name", "x"))])
            {
                Id = id,
                Tls = new TlsFiles(Path.Combine(folder, "ca.crt"), Path.Combine(folder, "collector.crt"), Path.Combine(folder, "collector.key"), _ => { }),
            });
    }

    private async Task<string> MakeFleetAsync(string name, params string[] hosts)
    {
        var folder = Path.Combine(_folder.Path, name);
        using var init = ServiceProcess.Start(null, "tls", "init", folder, "--host", "127.0.0.1");
        Assert.Equal(0, await init.ExitAsync());
        foreach (var host in hosts)
        {
            using var collector = ServiceProcess.Start(null, "tls", "collector", folder, host);
            Assert.True(await collector.ExitAsync() == 0, collector.Text);
        }

        return folder;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
