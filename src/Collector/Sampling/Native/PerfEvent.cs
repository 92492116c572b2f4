using System.Runtime.InteropServices;

namespace ActorProfiler.Collector.Sampling.Native;

/// <summary>Opens sampling clocks. Source: perf_event_open(2), linux/perf_event.h.</summary>
internal static unsafe class PerfEvent
{
    private const uint TypeSoftware = 1;
    private const ulong ConfigCpuClock = 0;
    private const ulong FlagCloseOnExec = 8;
    private const ulong ExcludeIdle = 1 << 7;

    /// <summary><c>struct perf_event_attr</c> up to PERF_ATTR_SIZE_VER5; unused fields stay zero.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 112)]
    private struct Attributes
    {
        [FieldOffset(0)] public uint Type;
        [FieldOffset(4)] public uint Size;
        [FieldOffset(8)] public ulong Config;
        [FieldOffset(16)] public ulong SamplePeriod;
        [FieldOffset(40)] public ulong Flags;
    }

    private static nint SystemCall => RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 241 : 298;

    /// <summary>A software clock of <paramref name="cpu"/> for all processes that fires while a task runs.</summary>
    /// <param name="periodNanos">Exactly kept: the clock is a high-resolution timer of fixed period.</param>
    /// <returns>A descriptor the caller owns.</returns>
    /// <exception cref="BpfException">No right, or the CPU is offline.</exception>
    public static int OpenCpuClock(int cpu, long periodNanos)
    {
        var attributes = new Attributes
        {
            Type = TypeSoftware,
            Size = (uint)sizeof(Attributes),
            Config = ConfigCpuClock,
            SamplePeriod = (ulong)periodNanos,
            Flags = ExcludeIdle,
        };
        var file = (int)LibC.syscall(SystemCall, &attributes, b: -1, c: cpu, d: -1, e: (nint)FlagCloseOnExec);
        return file < 0 ? throw new BpfException($"open a perf event on CPU {cpu}", Marshal.GetLastPInvokeError()) : file;
    }
}
