using System.Net;
using System.Net.Sockets;
using ActorProfiler.Aggregator;
using ActorProfiler.Aggregator.Peers;
using ActorProfiler.Telemetry;
using Akka.Cluster;

namespace ActorProfiler.Tests.Peers;

/// <summary>Aggregators that find each other by a name, at addresses of the loopback network.</summary>
public sealed class PeerFinderTests : IAsyncDisposable
{
    private readonly List<RunningAggregator> _nodes = [];
    private readonly List<TemporaryFolder> _folders = [];
    private readonly int _port = FreePort();
    private volatile IPAddress[] _known = [];

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
        {
            await node.DisposeAsync();
        }

        _folders.ForEach(folder => folder.Dispose());
    }

    [Fact]
    public async Task Those_that_start_together_make_one_cluster_and_a_late_one_joins_it()
    {
        _known = [IPAddress.Parse("127.0.0.3"), IPAddress.Parse("127.0.0.2")];
        await Task.WhenAll(StartAsync("127.0.0.2"), StartAsync("127.0.0.3"));
        await MembersAsync(2);

        _known = [IPAddress.Parse("127.0.0.1"), .. _known];
        await StartAsync("127.0.0.1");
        await MembersAsync(3);
    }

    [Fact]
    public async Task One_alone_of_three_makes_none_and_says_why()
    {
        _known = [IPAddress.Parse("127.0.0.2")];
        var health = new Health();
        await StartAsync("127.0.0.2", health);

        await Eventually.TrueAsync(() => health.Problems.Contains($"peers: 1 of 3 aggregators answer (127.0.0.2:{_port} of 127.0.0.2:{_port}); a cluster is made by 2"));
        Assert.Empty(Cluster.Get(_nodes[0].Actors).State.Members);
    }

    private async Task MembersAsync(int count)
    {
        foreach (var node in _nodes)
        {
            await Eventually.TrueAsync(() => Cluster.Get(node.Actors).State.Members.Count(member => member.Status == MemberStatus.Up) == count);
        }
    }

    private async Task StartAsync(string address, Health? health = null)
    {
        var folder = new TemporaryFolder();
        var node = await RunningAggregator.StartAsync(new AggregatorOptions(folder.Path)
        {
            Health = health ?? new Health(),
            Cluster = new ClusterOptions(address, _port, [])
            {
                SeedTimeout = TimeSpan.FromSeconds(2),
                Search = new PeerSearch(3, new PeerSources([$"tier:{_port}"], []))
                {
                    Interval = TimeSpan.FromMilliseconds(200),
                    Stable = TimeSpan.FromSeconds(1),
                    Resolve = _ => Task.FromResult(_known),
                },
            },
        });
        lock (_nodes)
        {
            _nodes.Add(node);
            _folders.Add(folder);
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
