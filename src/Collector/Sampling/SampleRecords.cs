using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace ActorProfiler.Collector.Sampling;

// Mirrors of bpf/sample.h, field by field; LayoutTests compare them with the BPF object's type information.

/// <summary>How the walk of a user stack ended.</summary>
internal enum WalkEnding : byte
{
    None,
    Complete,
    BrokenChain,
    Unsupported,
    ReadFault,
    Truncated,
    NoRegisters,
}

[Flags]
internal enum RecordFlags : byte
{
    None = 0,
    Single = 1,
    Unknown = 2,
    KernelThread = 4,
}

[InlineArray(16)]
internal struct Comm
{
    private byte _first;

    /// <summary>The text up to the first zero byte.</summary>
    public override readonly string ToString()
    {
        ReadOnlySpan<byte> bytes = this;
        var end = bytes.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
    }
}

/// <summary><c>struct stack_record</c>; user addresses, two words for each Python frame, one for each of V8, and kernel addresses follow it.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct StackRecord
{
    public ulong Hash;
    public ulong StartTime;
    public uint Pid;
    public uint ExecId;
    public uint Weight;
    public ushort UserFrames;
    public ushort KernelFrames;
    public WalkEnding Ending;
    public RecordFlags Flags;
    public ushort PythonFrames;
    public ushort V8Frames;
    public ushort Padding;
    public Comm Comm;
}

[InlineArray(16)]
internal struct RegisterValues
{
    private ulong _first;
}

[InlineArray(KernelFrames)]
internal struct KernelAddresses
{
    public const int KernelFrames = 127;

    private ulong _first;
}

[InlineArray(2 * Frames)]
internal struct CopiedPythonFrames
{
    public const int Frames = 64;

    private ulong _first;
}

/// <summary><c>struct stack_copy</c>; <see cref="CopiedBytes"/> of the stack follow it.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct StackCopyRecord
{
    public const int CopiedBytes = 16384;

    public StackRecord Record;
    public ulong Time;
    public ulong Ip;
    public RegisterValues Registers;
    public ulong Start;
    public ulong Length;
    public KernelAddresses Kernel;
    public CopiedPythonFrames Python;
}

internal enum EventKind : uint
{
    UnknownProcess = 1,
    UnknownAddress,
    Exec,
    Exit,
}

/// <summary><c>struct process_event</c></summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ProcessEvent
{
    public EventKind Kind;
    public uint Pid;
    public ulong StartTime;
    public ulong Address;
    public ulong Time;
    public uint ExecId;
    public uint Padding;
    public Comm Comm;
}

internal enum ProcessState : uint
{
    Announced = 1,
    Profiled,
    Ignored,
    Wanted,
}

[Flags]
internal enum ProcessFlags : uint
{
    None = 0,
    NoUser = 1,
    NoKernel = 2,
    Python = 4,
    Kernel = 8,
    V8 = 16,
    HotSpot = 32,
}

/// <summary><c>struct process</c>, the value of map <c>processes</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ProcessEntry
{
    public ulong LastUnknown;
    public ProcessState State;
    public ProcessFlags Flags;
    public uint KeepOneIn;
    public uint Shard;
    public uint FirstMapping;
    public uint MappingCount;
    public uint UnknownPause;
    public uint Padding;
}

/// <summary><c>struct settings</c>, live in <c>.bss</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Settings
{
    public uint CollectUser;
    public uint CollectKernel;
    public uint KernelThreads;
    public uint IgnoreUnknown;
}

/// <summary><c>struct tally</c>, per CPU.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Tally
{
    public ulong Ticks;
    public DropCounts Drops;
    public ulong EventsLost;
}

[InlineArray(DropReasons.KernelCount)]
internal struct DropCounts
{
    private ulong _first;
}
