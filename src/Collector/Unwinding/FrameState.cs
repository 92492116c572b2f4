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

    internal enum ReturnAddressRule : byte
    {
        BelowCfa,
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

        var cfa = CfaExpression ?? CfaRule();
        if (ReturnAddress == ReturnAddressRule.Elsewhere || cfa.CfaKind == CfaKind.Unsupported)
        {
            return new UnwindRule(CfaKind.Unsupported, FramePointerKind.Same, 0);
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

    private readonly UnwindRule CfaRule()
    {
        var fits = CfaOffset is >= short.MinValue and <= short.MaxValue;
        return CfaRegister switch
        {
            Rsp when fits => new UnwindRule(CfaKind.StackPointer, FramePointerKind.Same, (short)CfaOffset),
            Rsp when CfaOffset is > 0 and <= short.MaxValue * 8 && CfaOffset % 8 == 0 =>
                new UnwindRule(CfaKind.StackPointer, FramePointerKind.Same, (short)(CfaOffset / 8), CfaOffset2: 1),
            Rbp when fits => new UnwindRule(CfaKind.FramePointer, FramePointerKind.Same, (short)CfaOffset),
            < 16 when fits && CfaRegister != Rsp =>
                new UnwindRule(CfaKind.Register, FramePointerKind.Same, (short)CfaOffset, CfaOffset2: (short)CfaRegister),
            _ => new UnwindRule(CfaKind.Unsupported, FramePointerKind.Same, 0),
        };
    }
}
