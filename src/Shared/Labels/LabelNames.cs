namespace ActorProfiler.Labels;

/// <summary>Every label name with a meaning of its own.</summary>
public static class LabelNames
{
    /// <summary>The metric name of a series; <see cref="ProcessCpu"/> for CPU samples.</summary>
    public const string Name = "__name__";

    /// <summary>Value of <see cref="Name"/> for CPU samples.</summary>
    public const string ProcessCpu = "process_cpu";

    public const string ServiceName = "service_name";

    public const string ProcessPid = "__process_pid__";

    /// <summary>The tenant of a server that gets the series; never sent as a label.</summary>
    public const string Tenant = "__tenant__";

    /// <summary>Option of a target: its <see cref="Tenant"/>.</summary>
    public const string TenantOption = "__meta_pyroscope_ebpf_options_tenant";

    /// <summary>The <c>pyroscope.ebpf</c> block that a series comes from, where several send theirs different ways; never sent as a label.</summary>
    public const string Origin = "__pyroscope_ebpf__";

    public const string ContainerId = "__container_id__";

    /// <summary>Whether a label is part of the series that destinations get; others say where samples came from.</summary>
    public static bool IsOfSeries(string label) => label is Name or Tenant or Origin or "__delta__" || !label.StartsWith("__", StringComparison.Ordinal);
}
