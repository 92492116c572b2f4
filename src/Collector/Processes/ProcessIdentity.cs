namespace ActorProfiler.Collector.Processes;

/// <summary>One program image in one process: a pid alone is reused, and an exec replaces all mappings.</summary>
/// <param name="Pid">In the collector's pid namespace.</param>
/// <param name="StartTime">Nanoseconds since boot at which the process started.</param>
/// <param name="ExecId">Grows with each exec of the process.</param>
public readonly record struct ProcessIdentity(int Pid, ulong StartTime, uint ExecId);
