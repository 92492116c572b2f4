namespace ActorProfiler.Tests.Run;

/// <summary>Aggregators that no list names find each other.</summary>
public sealed class PeerSearchTests : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(90);
    private static readonly string[] _addresses = ["127.0.0.2", "127.0.0.3", "127.0.0.4"];

    private readonly List<TemporaryFolder> _folders = [];
    private readonly List<ServiceProcess> _aggregators = [];
    private readonly Network _network;
    private readonly Network.Node _host;

    public PeerSearchTests()
    {
        Requirements.Bpf();
        _network = Network.Create();
        _host = _network.Add();

        // ip-netns(8) shows this file to its programs as /etc/hosts.
        Directory.CreateDirectory(Hosts);
        File.WriteAllLines(Path.Combine(Hosts, "hosts"), _addresses.Select(address => $"{address} aggregators"));
    }

    private string Hosts => $"/etc/netns/{_host.Namespace}";

    public void Dispose()
    {
        _aggregators.ForEach(aggregator => aggregator.Dispose());
        _folders.ForEach(folder => folder.Dispose());
        Directory.Delete(Hosts, recursive: true);
        _network.Dispose();
    }

    [Fact]
    public async Task Three_that_start_together_make_one_cluster_by_a_name_and_by_what_a_discovery_finds()
    {
        var found = new TemporaryFolder();
        _folders.Add(found);
        var file = Path.Combine(found.Path, "aggregators.json");
        await File.WriteAllTextAsync(file, $$"""[{"targets": [{{string.Join(", ", _addresses.SelectMany(address => (string[])[$"\"{address}:4053\"", $"\"{address}:4054\""]))}}]}]""");

        Start(0, """peers = ["aggregators:4054"]""");
        Start(1, """peers = ["aggregators:4054"]""");
        Start(2, "peer_targets = discovery.file.tier.targets", $$"""
            discovery.file "tier" {
              files = ["{{file}}"]
            }
            """);

        foreach (var aggregator in _aggregators)
        {
            await Poll.UntilAsync(
                () => aggregator.HasExited || aggregator.Lines.Any(line => line.Contains("3 aggregators share the series", StringComparison.Ordinal)), _patience, () => string.Join("\n---\n", _aggregators.Select(one => one.Text)));
        }

        await Task.WhenAll(_aggregators.Select(aggregator => aggregator.StopAsync()));
    }

    private void Start(int number, string search, string discovery = "")
    {
        var folder = new TemporaryFolder();
        _folders.Add(folder);
        var config = Path.Combine(folder.Path, "aggregator.alloy");
        File.WriteAllText(config, $$"""
            pyroscope.aggregate "all" {
              forward_to = []
            }
            cluster {
              listen         = "{{_addresses[number]}}:4053"
              address        = "{{_addresses[number]}}:4054"
              peers_expected = 3
              {{search}}
            }
            {{discovery}}
            """);
        _aggregators.Add(ServiceProcess.Start(
            _host, "run", config, "--role", "aggregator", "--http.listen", $"{_addresses[number]}:4041", "--data-dir", folder.Path, "--insecure-plaintext"));
    }
}
