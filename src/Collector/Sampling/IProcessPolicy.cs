using ActorProfiler.Collector.Processes;

namespace ActorProfiler.Collector.Sampling;

/// <summary>Says which processes are profiled, and how. Called on the sampling thread while the process is likely to live.</summary>
internal interface IProcessPolicy
{
    ProcessDecision Decide(KnownProcess process);

    /// <summary>The process has ended and its last samples are out: what was kept of it can go.</summary>
    void Forget(ProcessIdentity process);
}

/// <param name="IsProfiled">False drops its ticks in the kernel.</param>
/// <param name="KeepOneIn">Keeps one tick in so many, each with that weight; 1 keeps all.</param>
/// <param name="Python">Whether the frames of its Python interpreter are read; null as for all processes.</param>
internal readonly record struct ProcessDecision(bool IsProfiled, uint KeepOneIn = 1, ProcessFlags Flags = ProcessFlags.None, bool? Python = null)
{
    public static readonly ProcessDecision Ignored = new(IsProfiled: false);
}
