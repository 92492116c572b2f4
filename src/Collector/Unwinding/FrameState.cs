namespace ActorProfiler.Collector.Unwinding;

/// <summary>What the instructions of a frame entry have said so far, as far as it matters for stepping.</summary>
internal struct FrameState
{
    public const int Rbp = 6;
    public const int Rsp = 7;

    /// <summary>DWARF number of the register the CFA is counted from, unless an expression gives it.</summary>
    public ulong CfaRegister;

    public long CfaOffset;

    /// <summary>Set when an expression gives the CFA: its kind, with offsets; Unsupported when the expression is another.</summary>
    public UnwindRule? CfaExpression;

    public FramePointerKind FramePointer;

    public long FramePointerOffset;

    public ReturnAddressRule ReturnAddress;

    /// <summary>From the CFA, or the number of a register, where the return address is.</summary>
    public long ReturnAddressOffset;

    /// <summary>Set when the caller's rsp is not the CFA, as in longjmp.</summary>
    public bool MovesStackPointer;

    internal enum ReturnAddressRule : byte
    {
        BelowCfa,
        AtCfa,
        InRegister,
        Undefined,
        Elsewhere,
    }

    /// <summary>The rule for the code that follows.</summary>
    public readonly UnwindRule ToRule(bool isSignalFrame)
    {
        if (ReturnAddress == ReturnAddressRule.Undefined)
        {
            return new UnwindRule(CfaKind.EndOfStack, FramePointerKind.Same, 0);
        }

        if (isSignalFrame && CfaExpression is not null)
        {
            return new UnwindRule(CfaKind.SignalFrame, FramePointerKind.Same, 0);
        }

        var cfa = WithReturnAddress(CfaExpression ?? CfaRule());
        if (cfa.CfaKind is CfaKind.Unsupported or CfaKind.ReturnAddressIn)
        {
            return cfa;
        }

        var fits = FramePointerOffset is >= short.MinValue and <= short.MaxValue;
        return FramePointer switch
        {
            FramePointerKind.Same => cfa,
            FramePointerKind.Unsupported => cfa with { FramePointerKind = FramePointerKind.Unsupported },
            _ when !fits => cfa with { FramePointerKind = FramePointerKind.Unsupported },
            _ => cfa with { FramePointerKind = FramePointer, FramePointerOffset = (short)FramePointerOffset },
        };
    }

    private readonly UnwindRule CfaRule() => CfaRegister switch
    {
        Rsp => UnwindRule.From(CfaKind.StackPointer, CfaOffset),
        Rbp => UnwindRule.From(CfaKind.FramePointer, CfaOffset),
        < 16 => UnwindRule.FromRegister((int)CfaRegister, CfaOffset),
        _ => UnwindRule.Unsupported,
    };

    /// <summary>The rule when the return address is not just below the frame: only frames near rsp can say so.</summary>
    private readonly UnwindRule WithReturnAddress(UnwindRule cfa)
    {
        if (ReturnAddress == ReturnAddressRule.BelowCfa)
        {
            return cfa;
        }

        var isNear = cfa is { CfaKind: CfaKind.StackPointer, CfaOffset2: 0 } && !MovesStackPointer && ReturnAddressOffset is >= short.MinValue and <= short.MaxValue;
        return ReturnAddress switch
        {
            ReturnAddressRule.AtCfa when isNear => cfa with { CfaKind = CfaKind.ReturnAddressAt, CfaOffset2 = (short)ReturnAddressOffset },
            ReturnAddressRule.InRegister when isNear && FramePointer == FramePointerKind.Same => cfa with { CfaKind = CfaKind.ReturnAddressIn, CfaOffset2 = (short)ReturnAddressOffset },
            _ => UnwindRule.Unsupported,
        };
    }
}
