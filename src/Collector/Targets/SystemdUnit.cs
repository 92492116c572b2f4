namespace ActorProfiler.Collector.Targets;

/// <summary>Finds the systemd service in the text of <c>/proc/PID/cgroup</c>.</summary>
internal static class SystemdUnit
{
    private const string Service = ".service";

    /// <summary>
    /// Name of the innermost service without <c>.service</c>, or "". A user's own manager (<c>user@1000.service</c>) is no service
    /// of its processes.
    /// </summary>
    public static string Find(string cgroups)
    {
        foreach (var line in cgroups.AsSpan().EnumerateLines())
        {
            var path = line.ToString().Split(':', 3) is [_, _, var last] ? last : "";
            var unit = path.Split('/').LastOrDefault(component => component.EndsWith(Service, StringComparison.Ordinal));
            if (unit is not null && !unit.StartsWith("user@", StringComparison.Ordinal))
            {
                return unit[..^Service.Length];
            }
        }

        return "";
    }
}
