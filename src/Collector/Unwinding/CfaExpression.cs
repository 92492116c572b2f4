using ActorProfiler.Collector.Elf;

namespace ActorProfiler.Collector.Unwinding;

/// <summary>Recognizes the few DWARF expressions that compilers write for stack frames. Source: DWARF 5 §2.5.</summary>
internal static class CfaExpression
{
    private const byte Dereference = 0x06, PlusConstant = 0x23, Breg0 = 0x70;

    private static readonly UnwindRule _unsupported = new(CfaKind.Unsupported, FramePointerKind.Same, 0);

    /// <summary>The rule an expression stands for; Unsupported when it is none of the known.</summary>
    /// <exception cref="FormatException">The expression ends in the middle of an operand.</exception>
    public static UnwindRule Read(ReadOnlySpan<byte> expression)
    {
        if (IsPlt(expression, out var threshold))
        {
            return new UnwindRule(CfaKind.Plt, FramePointerKind.Same, threshold);
        }

        if (!TryReadRegister(expression, out var register, out var offset, out var rest) || offset is < short.MinValue or > short.MaxValue)
        {
            return _unsupported;
        }

        if (rest is [Dereference, .. var added])
        {
            ulong addend = 0;
            if (added is [PlusConstant, .. var constant])
            {
                var fields = new ByteReader(constant);
                addend = fields.Uleb();
                added = fields.Rest;
            }

            var kind = register switch { FrameState.Rbp => CfaKind.AtFramePointer, FrameState.Rsp => CfaKind.AtStackPointer, _ => CfaKind.Unsupported };
            return added.IsEmpty && addend <= (ulong)short.MaxValue && kind != CfaKind.Unsupported
                ? new UnwindRule(kind, FramePointerKind.Same, (short)offset, CfaOffset2: (short)addend)
                : _unsupported;
        }

        return rest.IsEmpty && register is FrameState.Rsp or FrameState.Rbp
            ? new UnwindRule(register == FrameState.Rsp ? CfaKind.StackPointer : CfaKind.FramePointer, FramePointerKind.Same, (short)offset)
            : _unsupported;
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
