namespace ActorProfiler.Collector.Sampling;

/// <summary>What is sampled and how often. Every value may change while sampling goes on.</summary>
/// <param name="SampleRate">Ticks per second and CPU, 1–10000 Hz.</param>
/// <param name="CollectUser">Walk user stacks.</param>
/// <param name="CollectKernel">Walk kernel stacks.</param>
/// <param name="KernelThreads">Profile kernel threads too.</param>
/// <param name="Python">Read the frames of Python interpreters.</param>
/// <param name="V8">Name the JavaScript functions of V8.</param>
/// <param name="HotSpot">Name the methods of JVMs.</param>
public sealed record SamplingOptions(
    int SampleRate = SamplingOptions.DefaultRate,
    bool CollectUser = true,
    bool CollectKernel = true,
    bool KernelThreads = false,
    bool Python = true,
    bool V8 = true,
    bool HotSpot = true)
{
    public const int DefaultRate = 97;
    public const int LowestRate = 1;
    public const int HighestRate = 10_000;

    /// <summary>What the clock really does: whole nanoseconds.</summary>
    public long PeriodNanos => 1_000_000_000 / SampleRate;
}
