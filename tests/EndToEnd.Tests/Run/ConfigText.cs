namespace ActorProfiler.Tests.Run;

/// <summary>Configurations of the tests: every process, at short intervals.</summary>
internal static class ConfigText
{
    /// <param name="destination">URL of a server, or null for the page alone.</param>
    /// <param name="cluster">What stands in the cluster block, or "" for none.</param>
    /// <returns>Path of a file in <paramref name="folder"/>.</returns>
    public static string Write(TemporaryFolder folder, string? destination = null, string cluster = "")
    {
        var path = Path.Combine(folder.Path, $"{Guid.NewGuid():N}.alloy");
        var write = destination is null ? "" : $"pyroscope.write \"server\" {{\n  endpoint {{\n    url = \"{destination}\"\n  }}\n}}";
        File.WriteAllText(path, $$"""
            pyroscope.ebpf "host" {
              targets_only     = false
              collect_interval = "1s"
              forward_to       = [pyroscope.aggregate.all.receiver]
            }
            pyroscope.aggregate "all" {
              window     = "1s"
              forward_to = [{{(destination is null ? "" : "pyroscope.write.server.receiver")}}]
            }
            {{write}}
            {{(cluster.Length == 0 ? "" : $"cluster {{\n{cluster}\n}}")}}
            """);
        return path;
    }

    /// <summary>Cluster block of a collector.</summary>
    public static string Aggregators(params string[] addresses) => $"aggregators = [{string.Join(", ", addresses.Select(address => $"\"{address}\""))}]";
}
