namespace ActorProfiler.Tests.Run;

/// <summary>Configurations of the tests: every process, at short intervals.</summary>
internal static class ConfigText
{
    /// <param name="destination">URL of a server, or null for the page alone.</param>
    /// <param name="cluster">What stands in the cluster block, or "" for none.</param>
    /// <returns>Path of a file in <paramref name="folder"/>.</returns>
    public static string Write(TemporaryFolder folder, string? destination = null, string cluster = "") =>
        WriteTo(folder, cluster, destination is null ? [] : [destination]);

    /// <param name="destinations">URLs of the servers that get every profile.</param>
    /// <inheritdoc cref="Write"/>
    public static string WriteTo(TemporaryFolder folder, string cluster, params string[] destinations)
    {
        var path = Path.Combine(folder.Path, $"{Guid.NewGuid():N}.alloy");
        var endpoints = string.Join("\n", destinations.Select(url => $"  endpoint {{\n    url = \"{url}\"\n  }}"));
        var write = destinations.Length == 0 ? "" : $"pyroscope.write \"server\" {{\n{endpoints}\n}}";
        File.WriteAllText(path, $$"""
            pyroscope.ebpf "host" {
              targets_only     = false
              collect_interval = "1s"
              forward_to       = [pyroscope.aggregate.all.receiver]
            }
            pyroscope.aggregate "all" {
              window     = "1s"
              forward_to = [{{(destinations.Length == 0 ? "" : "pyroscope.write.server.receiver")}}]
            }
            {{write}}
            {{(cluster.Length == 0 ? "" : $"cluster {{\n{cluster}\n}}")}}
            """);
        return path;
    }

    /// <summary>A file, always the same one, that profiles these targets.</summary>
    /// <param name="arguments">More arguments of <c>pyroscope.ebpf</c>.</param>
    /// <param name="targets">As the file writes them.</param>
    public static string WriteTargets(TemporaryFolder folder, string destination, string arguments, params string[] targets)
    {
        var path = Path.Combine(folder.Path, "targets.alloy");
        File.WriteAllText(path, $$"""
            pyroscope.ebpf "host" {
              targets = [
                {{string.Join(",\n    ", targets)}},
              ]
              collect_interval = "1s"
              forward_to       = [pyroscope.aggregate.all.receiver]
              {{arguments}}
            }
            {{AggregateTo(destination)}}
            """);
        return path;
    }

    /// <summary>What <c>pyroscope.aggregate.all.receiver</c> gets is pushed there every second.</summary>
    public static string AggregateTo(string destination) => $$"""
        pyroscope.aggregate "all" {
          window     = "1s"
          forward_to = [pyroscope.write.server.receiver]
        }
        pyroscope.write "server" {
          endpoint {
            url = "{{destination}}"
          }
        }
        """;

    /// <summary>Cluster block of a collector.</summary>
    public static string Aggregators(params string[] addresses) => $"aggregators = [{string.Join(", ", addresses.Select(address => $"\"{address}\""))}]";
}
