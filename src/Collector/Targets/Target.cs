using System.Globalization;
using ActorProfiler.Labels;

namespace ActorProfiler.Collector.Targets;

/// <summary>What processes are matched to: a series of profiles.</summary>
/// <param name="Labels">The series.</param>
/// <param name="Pid">The process it is for; 0 when it is for a container.</param>
/// <param name="ContainerId">"" when it is for a process.</param>
internal sealed record Target(LabelSet Labels, int Pid = 0, string ContainerId = "")
{
    private const string KubernetesId = "__meta_kubernetes_pod_container_id";
    private const string DockerId = "__meta_docker_container_id";
    private const string SwarmId = "__meta_dockerswarm_task_container_id";

    private static readonly string[] _kubernetesRuntimes = ["docker://", "containerd://", "cri-o://"];

    public TargetOptions Options { get; init; } = TargetOptions.Default;

    public string ServiceName => Labels[LabelNames.ServiceName];

    /// <summary>Makes a target of labels that discovery found.</summary>
    /// <returns>Null when they name neither a process nor a container.</returns>
    public static Target? From(LabelSet discovered)
    {
        var pid = uint.TryParse(discovered[LabelNames.ProcessPid], NumberStyles.None, CultureInfo.InvariantCulture, out var parsed)
            && parsed is > 0 and <= int.MaxValue ? (int)parsed : 0;
        var container = pid > 0 ? "" : ContainerOf(discovered);
        if (pid == 0 && container.Length == 0)
        {
            return null;
        }

        var labels = discovered
            .Where(name => !name.StartsWith("__", StringComparison.Ordinal) || name == LabelNames.Name)
            .With(LabelNames.ServiceName, Targets.ServiceName.Infer(discovered));
        if (!labels.Contains(LabelNames.Name))
        {
            labels = labels.With(LabelNames.Name, LabelNames.ProcessCpu);
        }

        if (discovered[LabelNames.TenantOption] is { Length: > 0 } tenant)
        {
            labels = labels.With(LabelNames.Tenant, tenant);
        }

        labels = pid > 0
            ? labels.With(LabelNames.ProcessPid, pid.ToString(CultureInfo.InvariantCulture))
            : labels.With(LabelNames.ContainerId, container);
        return new Target(labels, pid, container);
    }

    /// <summary>A target for processes that no target names: grouped by <paramref name="serviceName"/>.</summary>
    public static Target Default(string serviceName) =>
        new(LabelSet.Of((LabelNames.Name, LabelNames.ProcessCpu), (LabelNames.ServiceName, serviceName)));

    /// <summary>The container that discovered labels name, or "". A runtime of Kubernetes that is not known names none.</summary>
    internal static string ContainerOf(LabelSet discovered)
    {
        if (discovered.Contains(LabelNames.ContainerId))
        {
            return discovered[LabelNames.ContainerId];
        }

        if (discovered[KubernetesId] is { Length: > 0 } id)
        {
            var runtime = _kubernetesRuntimes.FirstOrDefault(prefix => id.StartsWith(prefix, StringComparison.Ordinal));
            return runtime is null ? "" : id[runtime.Length..];
        }

        return discovered.Contains(DockerId) ? discovered[DockerId] : discovered[SwarmId];
    }
}
