using System.Text.RegularExpressions;

namespace ActorProfiler.Collector.Targets;

/// <summary>Finds the container in the text of <c>/proc/PID/cgroup</c>.</summary>
/// <remarks>
/// Runtimes write the id as <c>/docker/ID</c>, <c>/cri-containerd-ID.scope</c>, <c>slice:cri-containerd:ID</c>, <c>/kubepods/…/podUID/ID</c>,
/// <c>libpod-ID.scope/container</c>, ECS <c>/ecs/TASK/ID-N</c>, alone or followed by groups made inside the container. Of several ids in
/// one path (a runtime within a container) the innermost is the container. Source: cgroups(7).
/// </remarks>
internal static partial class ContainerId
{
    /// <summary>The monitor of a podman container runs beside it, in a group that carries its id.</summary>
    private const string Monitor = "libpod-conmon-";

    /// <summary>The id in lower case, or "" when the process is in no container.</summary>
    public static string Find(string cgroups)
    {
        foreach (var line in cgroups.AsSpan().EnumerateLines())
        {
            if (FindInLine(line.ToString()) is { Length: > 0 } found)
            {
                return found;
            }
        }

        return "";
    }

    private static string FindInLine(string line)
    {
        // hierarchy-ID:controllers:path, and the path may hold colons
        var path = line.Split(':', 3) is [_, _, var last] ? last : "";
        foreach (var component in path.Split('/').Reverse())
        {
            if (component.StartsWith(Monitor, StringComparison.Ordinal))
            {
                return "";
            }

            if (Id().Match(component) is { Success: true } match)
            {
                return match.Groups["id"].Value.ToLowerInvariant();
            }
        }

        return "";
    }

    [GeneratedRegex(@"(?:^|[-:])(?<id>[0-9a-fA-F]{64}|[0-9a-f]{32}-\d+)(?:\.scope)?$", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex Id();
}
