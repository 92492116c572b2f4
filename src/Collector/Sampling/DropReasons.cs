using System.Collections.Immutable;

namespace ActorProfiler.Collector.Sampling;

/// <summary>Why ticks left no sample: label values of the loss ledger.</summary>
internal static class DropReasons
{
    /// <summary>Number of reasons the BPF programs count (<c>DROP_REASONS</c> in bpf/sample.h).</summary>
    public const int KernelCount = 9;

    /// <summary>The stack's ring buffer was full, so the ticks under its hash have no stack.</summary>
    public const string RingFull = "ring_full";

    /// <summary>More distinct stacks in one interval than the collector keeps.</summary>
    public const string TooManyStacks = "too_many_stacks";

    /// <summary>A target matched when the sample was taken, and none does now.</summary>
    public const string NotTarget = "not_target";

    /// <summary>In the order of <c>enum drop_reason</c>.</summary>
    public static readonly ImmutableArray<string> Kernel =
    [
        "idle", "kernel_thread", NotTarget, "keep_rate", "other_pid_namespace", "no_stack", "no_scratch", "no_counts", RingFull,
    ];
}
