using ActorProfiler.Collector.Elf;

namespace ActorProfiler.Collector.Unwinding;

/// <summary>Recognizes the few DWARF expressions that compilers write for stack frames. Source: DWARF 5 §2.5.</summary>
internal static class CfaExpression
{
    private const byte Dereference = 0x06, Multiply = 0x1e, Plus = 0x22, PlusConstant = 0x23, Literal8 = 0x38, Breg0 = 0x70;

    /// <summary>The rule an expression stands for; Unsupported when it is none of the known.</summary>
    /// <exception cref="FormatException">The expression ends in the middle of an operand.</exception>
    public static UnwindRule Read(ReadOnlySpan<byte> expression)
    {
        if (IsPlt(expression, out var threshold))
        {
            return new UnwindRule(CfaKind.Plt, FramePointerKind.Same, threshold);
        }

        if (!TryReadRegister(expression, out var register, out var offset, out var rest) || register is not (FrameState.Rsp or FrameState.Rbp))
        {
            return UnwindRule.Unsupported;
        }

        if (rest is [Dereference, .. var added])
        {
            return TryReadAddend(added, out var addend) && addend <= (ulong)short.MaxValue && offset is >= short.MinValue and <= short.MaxValue
                ? new UnwindRule(register == FrameState.Rbp ? CfaKind.AtFramePointer : CfaKind.AtStackPointer, FramePointerKind.Same, (short)offset, CfaOffset2: (short)addend)
                : UnwindRule.Unsupported;
        }

        if (register == FrameState.Rsp && rest is [>= Breg0 and <= Breg0 + 15, 0, Literal8, Multiply, Plus, Dereference, .. var last])
        {
            return TryReadAddend(last, out var addend) ? UnwindRule.Indexed(offset, rest[0] - Breg0, addend) : UnwindRule.Unsupported;
        }

        return rest.IsEmpty ? UnwindRule.From(register == FrameState.Rsp ? CfaKind.StackPointer : CfaKind.FramePointer, offset) : UnwindRule.Unsupported;
    }

    /// <summary>The constant that is added at the end, 0 when there is none; false when something else follows.</summary>
    private static bool TryReadAddend(ReadOnlySpan<byte> end, out ulong addend)
    {
        addend = 0;
        if (end is not [PlusConstant, .. var constant])
        {
            return end.IsEmpty;
        }

        var fields = new ByteReader(constant);
        addend = fields.Uleb();
        return fields.Rest.IsEmpty;
    }

    /// <summary>Whether the expression is rbp plus a constant, as where rbp itself is saved in a frame with aligned stack.</summary>
    /// <exception cref="FormatException">The expression ends in the middle of an operand.</exception>
    public static bool IsFramePointerPlus(ReadOnlySpan<byte> expression, out long offset) =>
        TryReadRegister(expression, out var register, out offset, out var rest) && register == FrameState.Rbp && rest.IsEmpty;

    private static bool TryReadRegister(ReadOnlySpan<byte> expression, out int register, out long offset, out ReadOnlySpan<byte> rest)
    {
        (register, offset) = (-1, 0);
        rest = default;
        if (expression.IsEmpty || expression[0] is < Breg0 or > Breg0 + 15)
        {
            return false;
        }

        var fields = new ByteReader(expression[1..]);
        register = expression[0] - Breg0;
        offset = fields.Sleb();
        rest = fields.Rest;
        return true;
    }

    /// <summary>As linkers write it: rsp + 8 + ((((rip &amp; 15) >= threshold) ? 1 : 0) &lt;&lt; 3).</summary>
    private static bool IsPlt(ReadOnlySpan<byte> expression, out short threshold)
    {
        threshold = 0;
        if (expression is not [0x77, 0x08, 0x80, 0x00, 0x3f, 0x1a, >= 0x30 and <= 0x4f, 0x2a, 0x33, 0x24, 0x22])
        {
            return false;
        }

        threshold = (short)(expression[6] - 0x30);
        return true;
    }
}
