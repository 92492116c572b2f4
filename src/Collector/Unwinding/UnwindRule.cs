using System.Runtime.InteropServices;

namespace ActorProfiler.Collector.Unwinding;

/// <summary>How to find the canonical frame address (CFA), the stack pointer's value before the call into the frame.</summary>
internal enum CfaKind : byte
{
    /// <summary>No table covers the code: step by the frame pointer.</summary>
    None = 0,

    /// <summary>rsp + CfaOffset; with CfaOffset2 not 0, rsp + 8 * CfaOffset.</summary>
    StackPointer = 1,

    /// <summary>rbp + CfaOffset.</summary>
    FramePointer = 2,

    /// <summary>rsp + 8, and 8 more when (ip &amp; 15) >= CfaOffset.</summary>
    Plt = 3,

    /// <summary>*(rbp + CfaOffset) + CfaOffset2.</summary>
    AtFramePointer = 4,

    /// <summary>*(rsp + CfaOffset) + CfaOffset2.</summary>
    AtStackPointer = 5,

    /// <summary>The outermost frame.</summary>
    EndOfStack = 6,

    /// <summary>Register CfaOffset2 (DWARF number 0 to 15) + CfaOffset; known in the innermost frame only.</summary>
    Register = 7,

    /// <summary>All registers are in the signal frame on the stack.</summary>
    SignalFrame = 8,

    /// <summary>A rule that this form cannot say.</summary>
    Unsupported = 9,

    /// <summary>rbp + CfaOffset on the stack that the code has left for another; the outermost frame where rbp is 0.</summary>
    OtherStack = 10,

    /// <summary>Code that a JIT may have made since the table was: step by the frame pointer, and ask for a new table.</summary>
    Unknown = 11,

    /// <summary>HotSpot's interpreter: the caller's rsp is at rbp - 8, its rbp at rbp, the return address at rbp + 8.</summary>
    InterpreterFrame = 12,
}

/// <summary>Where the caller's rbp is.</summary>
internal enum FramePointerKind : byte
{
    /// <summary>Still in rbp.</summary>
    Same = 0,

    /// <summary>At CFA + FramePointerOffset.</summary>
    AtCfa = 1,

    Unsupported = 2,

    /// <summary>At rbp + FramePointerOffset.</summary>
    AtFramePointer = 3,

    /// <summary>In register FramePointerOffset (DWARF number); known in the innermost frame only.</summary>
    Register = 4,
}

/// <summary>How to step from a frame to its caller on x86-64: 8 bytes, the same in bpf/unwind.h. The return address is at CFA - 8 unless the kind says otherwise.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct UnwindRule(
    CfaKind CfaKind, FramePointerKind FramePointerKind, short CfaOffset, short FramePointerOffset = 0, short CfaOffset2 = 0);
