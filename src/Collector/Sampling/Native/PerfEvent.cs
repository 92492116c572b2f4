using System.Runtime.InteropServices;

namespace ActorProfiler.Collector.Sampling.Native;

/// <summary>Opens sampling clocks and the records of what is mapped. Source: perf_event_open(2), linux/perf_event.h.</summary>
internal static unsafe class PerfEvent
{
    private const uint TypeSoftware = 1;
    private const ulong ConfigCpuClock = 0;
    private const ulong ConfigDummy = 9;
    private const ulong SampleTime = 1 << 2;
    private const int ClockMonotonic = 1;
    private const ulong FlagCloseOnExec = 8;
    private const ulong ExcludeIdle = 1 << 7;

    /// <summary>mmap, comm, task, watermark, sample_id_all, mmap2, comm_exec, use_clockid.</summary>
    private const ulong ProcessRecords = 1 << 8 | 1 << 9 | 1 << 13 | 1 << 14 | 1 << 18 | 1 << 23 | 1 << 24 | 1 << 25;

    /// <summary><c>struct perf_event_attr</c> up to PERF_ATTR_SIZE_VER5; unused fields stay zero.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 112)]
    private struct Attributes
    {
        [FieldOffset(0)] public uint Type;
        [FieldOffset(4)] public uint Size;
        [FieldOffset(8)] public ulong Config;
        [FieldOffset(16)] public ulong SamplePeriod;
        [FieldOffset(24)] public ulong SampleType;
        [FieldOffset(40)] public ulong Flags;
        [FieldOffset(48)] public uint WakeupWatermark;
        [FieldOffset(92)] public int ClockId;
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
        return Open(attributes, cpu);
    }

    /// <summary>
    /// An event of <paramref name="cpu"/> that never fires, but whose buffer gets a record when a process starts, executes a program,
    /// maps code or ends, each with its time (bpf_ktime_get_ns()). It wakes nobody.
    /// </summary>
    /// <returns>A descriptor the caller owns.</returns>
    /// <exception cref="BpfException">No right, or the CPU is offline.</exception>
    public static int OpenProcessRecords(int cpu) => Open(
        new Attributes
        {
            Type = TypeSoftware,
            Size = (uint)sizeof(Attributes),
            Config = ConfigDummy,
            SampleType = SampleTime,
            Flags = ProcessRecords,
            WakeupWatermark = int.MaxValue,
            ClockId = ClockMonotonic,
        },
        cpu);

    private static int Open(Attributes attributes, int cpu)
    {
        var file = (int)LibC.syscall(SystemCall, &attributes, b: -1, c: cpu, d: -1, e: (nint)FlagCloseOnExec);
        return file < 0 ? throw new BpfException($"open a perf event on CPU {cpu}", Marshal.GetLastPInvokeError()) : file;
    }
}
