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

    public const string ContainerId = "__container_id__";
}
