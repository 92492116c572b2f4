using ActorProfiler.Aggregator.Pprof;

namespace ActorProfiler.Aggregator.LocalStore;

/// <summary>A profile in the store, with its CPU time once somebody has asked for it.</summary>
internal sealed class StoredProfile(EncodedProfile profile, long sequence)
{
    /// <summary>What a profile costs besides its payload: its labels and its place in the store.</summary>
    private const int Overhead = 512;

    private long _cpuNanos = -1;

    public EncodedProfile Profile { get; } = profile;

    public long Bytes => Profile.Pprof.Length + Overhead;

    public long EndNanos => Profile.TimeNanos + Profile.DurationNanos;

    /// <summary>CPU nanoseconds of all its samples; 0 when it cannot be read.</summary>
    /// <remarks>Read from the payload at the first call. Thread-safe: at worst two threads find the same number.</remarks>
    public long CpuNanos()
    {
        if (Volatile.Read(ref _cpuNanos) < 0)
        {
            Volatile.Write(ref _cpuNanos, ReadCpuNanos());
        }

        return Volatile.Read(ref _cpuNanos);
    }

    /// <summary>Oldest first; profiles of the same end in the order they came.</summary>
    public static readonly IComparer<StoredProfile> ByAge = Comparer<StoredProfile>.Create((left, right) =>
        left.EndNanos != right.EndNanos ? left.EndNanos.CompareTo(right.EndNanos) : left.Sequence.CompareTo(right.Sequence));

    private long Sequence { get; } = sequence;

    private long ReadCpuNanos()
    {
        try
        {
            var opened = PprofPayload.Open(Profile.Pprof);
            var cpu = CpuValue.Of(opened);
            return Math.Max(0, opened.Sample.Sum(cpu.In));
        }
        catch (FormatException)
        {
            return 0; // the flame graph counts it as unreadable
        }
    }
}
