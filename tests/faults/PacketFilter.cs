using System.Diagnostics;
using ActorProfiler.Tests.Run;

namespace ActorProfiler.Tests.Faults;

/// <summary>What the network of one namespace does to packets. Filters vanish with the namespace.</summary>
internal static class PacketFilter
{
    /// <summary>Replaces the filter of a namespace.</summary>
    /// <param name="input">nft rules for what comes in, a line each.</param>
    /// <param name="output">And for what goes out.</param>
    public static void Set(Network.Node node, string input = "", string output = "")
    {
        Requirements.Tool("nft", "nftables");
        Clear(node);
        Run(
            ["netns", "exec", node.Namespace, Requirements.FindOnPath("nft")!, "-f", "-"],
            $$"""
            table inet fault {
              chain i { type filter hook input priority 0; policy accept;
                {{input}}
              }
              chain o { type filter hook output priority 0; policy accept;
                {{output}}
              }
            }

            """);
    }

    public static void Clear(Network.Node node) =>
        Run(["netns", "exec", node.Namespace, Requirements.FindOnPath("nft")!, "-f", "-"], "flush ruleset\n");

    /// <summary>Limits what goes out, in bits a second.</summary>
    public static void Limit(Network.Node node, long bitsPerSecond)
    {
        Requirements.Tool("tc", "iproute2");
        Run(["netns", "exec", node.Namespace, Requirements.FindOnPath("tc")!, "qdisc", "replace", "dev", "eth0", "root", "tbf", "rate", $"{bitsPerSecond}bit", "burst", "16kb", "latency", "400ms"], "");
    }

    public static void Unlimit(Network.Node node) =>
        Run(["netns", "exec", node.Namespace, Requirements.FindOnPath("tc")!, "qdisc", "del", "dev", "eth0", "root"], "");

    private static void Run(string[] arguments, string input)
    {
        using var ip = Process.Start(new ProcessStartInfo(Requirements.FindOnPath("ip")!, arguments) { RedirectStandardError = true, RedirectStandardInput = true })!;
        ip.StandardInput.Write(input);
        ip.StandardInput.Close();
        var error = ip.StandardError.ReadToEnd();
        ip.WaitForExit();
        Assert.True(ip.ExitCode == 0, $"ip {string.Join(' ', arguments)}: {error}");
    }
}
