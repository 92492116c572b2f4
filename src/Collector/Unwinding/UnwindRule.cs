using System.Runtime.InteropServices;

namespace ActorProfiler.Collector.Unwinding;

/// <summary>How to find the canonical frame address (CFA), the stack pointer's value before the call into the frame.</summary>
internal enum CfaKind : byte
{
    /// <summary>No table covers the code: step by the frame pointer.</summary>
    None = 0,

    /// <summary>rsp + CfaOffset + 65536 * CfaOffset2.</summary>
    StackPointer = 1,

    /// <summary>rbp + CfaOffset + 65536 * CfaOffset2.</summary>
    FramePointer = 2,

    /// <summary>rsp + 8, and 8 more when (ip &amp; 15) >= CfaOffset.</summary>
    Plt = 3,

    /// <summary>*(rbp + CfaOffset) + CfaOffset2.</summary>
    AtFramePointer = 4,

    /// <summary>*(rsp + CfaOffset) + CfaOffset2.</summary>
    AtStackPointer = 5,

    /// <summary>The outermost frame.</summary>
    EndOfStack = 6,

    /// <summary>A register, its DWARF number in the lowest 4 bits of CfaOffset2, + CfaOffset + 65536 * the other bits; known in the innermost frame only.</summary>
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

    /// <summary>*(rsp + CfaOffset + 8 * a register) + an addend: the register's number in the lowest 4 bits of CfaOffset2, the addend in the others; known in the innermost frame only.</summary>
    AtIndexedStackPointer = 13,

    /// <summary>rsp + CfaOffset, with the return address at CFA + CfaOffset2.</summary>
    ReturnAddressAt = 14,

    /// <summary>rsp + CfaOffset, with the return address in register CfaOffset2 (DWARF number); known in the innermost frame only.</summary>
    ReturnAddressIn = 15,
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
    CfaKind CfaKind, FramePointerKind FramePointerKind, short CfaOffset, short FramePointerOffset = 0, short CfaOffset2 = 0)
{
    private const int RegisterBits = 4;

    public static UnwindRule Unsupported { get; } = new(CfaKind.Unsupported, FramePointerKind.Same, 0);

    /// <summary>The offset of rules that count from rsp, rbp or another register.</summary>
    public int FarOffset => CfaOffset + ((CfaKind == CfaKind.Register ? CfaOffset2 >> RegisterBits : CfaOffset2) << 16);

    /// <summary>The register that a rule counts from or that its table of addresses is indexed by.</summary>
    public int CfaRegister => CfaOffset2 & ((1 << RegisterBits) - 1);

    /// <summary>What is added to the address that an indexed rule finds.</summary>
    public int Addend => CfaOffset2 >> RegisterBits;

    /// <summary>The frame an offset above or below rsp or rbp; Unsupported when it is 2 GiB away.</summary>
    public static UnwindRule From(CfaKind stackOrFramePointer, long offset)
    {
        var high = HighPart(offset);
        return high is < short.MinValue or > short.MaxValue
            ? Unsupported
            : new UnwindRule(stackOrFramePointer, FramePointerKind.Same, (short)offset, CfaOffset2: (short)high);
    }

    /// <summary>The frame an offset above or below the register of a number below 16; Unsupported when it is 128 MiB away.</summary>
    public static UnwindRule FromRegister(int register, long offset)
    {
        var high = HighPart(offset);
        return high is < short.MinValue >> RegisterBits or > short.MaxValue >> RegisterBits
            ? Unsupported
            : new UnwindRule(CfaKind.Register, FramePointerKind.Same, (short)offset, CfaOffset2: (short)(high << RegisterBits | (uint)register));
    }

    /// <summary>*(rsp + offset + 8 * register) + addend; Unsupported when one of them is too large.</summary>
    public static UnwindRule Indexed(long offset, int register, ulong addend) =>
        offset is < short.MinValue or > short.MaxValue || addend > (ulong)short.MaxValue >> RegisterBits
            ? Unsupported
            : new UnwindRule(CfaKind.AtIndexedStackPointer, FramePointerKind.Same, (short)offset, CfaOffset2: (short)((int)addend << RegisterBits | register));

    private static long HighPart(long offset) => unchecked(offset - (short)offset) >> 16;
}
