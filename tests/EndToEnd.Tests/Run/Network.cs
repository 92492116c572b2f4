using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace ActorProfiler.Tests.Run;

/// <summary>Network namespaces joined by a bridge in the test's own namespace; disposing removes them.</summary>
internal sealed class Network : IDisposable
{
    private readonly string _name;
    private readonly string _subnet;
    private readonly List<Node> _nodes = [];

    private Network(string name, string subnet) => (_name, _subnet) = (name, subnet);

    /// <summary>Address of the test itself.</summary>
    public string Address => $"{_subnet}.1";

    public static Network Create()
    {
        Requirements.Tool("ip", "iproute2");
        var number = Environment.ProcessId % 60_000 + Random.Shared.Next(4_000);
        var network = new Network($"ap{number:x}", $"10.{200 + (number >> 8 & 31)}.{number & 255}");
        Ip("link", "add", network._name, "type", "bridge");
        Ip("addr", "add", $"{network.Address}/24", "dev", network._name);
        Ip("link", "set", network._name, "up");
        return network;
    }

    /// <summary>A port of the test's own loopback address that is free now.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public Node Add()
    {
        var index = _nodes.Count + 2;
        var node = new Node($"{_name}-{index}", $"{_name}.{index}", $"{_subnet}.{index}");
        _nodes.Add(node);
        Ip("netns", "add", node.Namespace);
        Ip("link", "add", node.Link, "type", "veth", "peer", "name", "eth0", "netns", node.Namespace);
        Ip("link", "set", node.Link, "master", _name, "up");
        foreach (var step in (string[][])[["addr", "add", $"{node.Address}/24", "dev", "eth0"], ["link", "set", "eth0", "up"], ["link", "set", "lo", "up"]])
        {
            Ip(["-n", node.Namespace, .. step]);
        }

        return node;
    }

    /// <summary>Cuts a node off, or joins it again.</summary>
    public static void Connect(Node node, bool up) => Ip("link", "set", node.Link, up ? "up" : "down");

    public void Dispose()
    {
        foreach (var node in _nodes)
        {
            Ip("netns", "del", node.Namespace);
        }

        Ip("link", "del", _name);
    }

    private static void Ip(params string[] arguments)
    {
        using var ip = Process.Start(new ProcessStartInfo(Requirements.FindOnPath("ip")!, arguments) { RedirectStandardError = true })!;
        var error = ip.StandardError.ReadToEnd();
        ip.WaitForExit();
        Assert.True(ip.ExitCode == 0, $"ip {string.Join(' ', arguments)}: {error}");
    }

    internal sealed record Node(string Namespace, string Link, string Address);
}
