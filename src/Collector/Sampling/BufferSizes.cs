using System.Numerics;

namespace ActorProfiler.Collector.Sampling;

/// <summary>Bytes of the BPF programs' ring buffers, powers of two.</summary>
internal static class BufferSizes
{
    /// <summary>Room for two seconds of stacks none of which repeats, at the rate given or at 997 Hz if that is more.</summary>
    public static uint Stacks(int cpus, int rate)
    {
        const long TypicalRecord = 512;
        return Between(1 << 20, 64 << 20, 2L * cpus * Math.Max(rate, 997) * TypicalRecord);
    }

    /// <summary>
    /// Room for a quarter of a second in which nothing but unknown processes run. Those for which it is too small are walked by
    /// frame pointers.
    /// </summary>
    public static uint Copies(int cpus, int rate) => Between(512 << 10, 16 << 20, cpus * rate / 4L * StackCopy.Bytes);

    private static uint Between(long least, long most, long wanted) => (uint)BitOperations.RoundUpToPowerOf2((ulong)Math.Clamp(wanted, least, most));
}
