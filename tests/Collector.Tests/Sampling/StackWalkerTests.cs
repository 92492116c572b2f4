using System.Buffers.Binary;
using ActorProfiler.Collector.Sampling;
using ActorProfiler.Collector.Unwinding;

namespace ActorProfiler.Tests.Sampling;

public class StackWalkerTests
{
    private const ulong Start = 0x7000;
    private const ulong Leaf = 0x10000;
    private const ulong Caller = 0x20010;
    private const ulong Outermost = 0x30020;

    private static readonly UnwindRule _leafRule = new(CfaKind.StackPointer, FramePointerKind.Same, CfaOffset: 8);

    [Fact]
    public void Steps_by_the_stack_pointer_to_the_end_of_the_stack()
    {
        var caller = new UnwindRule(CfaKind.StackPointer, FramePointerKind.AtCfa, CfaOffset: 32, FramePointerOffset: -16);
        var stack = Stack((0, Caller), (8 + 24, Outermost));

        var (frames, ending) = Walk(stack, address => address == Leaf ? _leafRule : address == Caller - 1 ? caller : new UnwindRule(CfaKind.EndOfStack, FramePointerKind.Same, 0));

        Assert.Equal([Leaf, Caller, Outermost], frames);
        Assert.Equal(WalkEnding.Complete, ending);
    }

    [Fact]
    public void Steps_by_the_frame_pointer_where_no_rule_is()
    {
        var stack = Stack((0x40, 0), (0x48, Caller));

        var (frames, ending) = Walk(stack, _ => default, bp: Start + 0x40);

        Assert.Equal([Leaf, Caller], frames);
        Assert.Equal(WalkEnding.Complete, ending);
    }

    [Fact]
    public void Goes_on_from_the_registers_a_signal_interrupted()
    {
        var stack = Stack((120, 0), (160, Start + 0x200), (168, Caller), (0x200, Outermost));

        var (frames, _) = Walk(stack, address => address == Leaf ? new UnwindRule(CfaKind.SignalFrame, FramePointerKind.Same, 0) : address == Caller ? _leafRule : new UnwindRule(CfaKind.EndOfStack, FramePointerKind.Same, 0));

        Assert.Equal([Leaf, Caller, Outermost], frames);
    }

    [Theory]
    [InlineData((byte)CfaKind.StackPointer, 4104, (byte)WalkEnding.ReadFault)] // just beyond what was copied
    [InlineData((byte)CfaKind.FramePointer, -32000, (byte)WalkEnding.ReadFault)]
    [InlineData((byte)CfaKind.AtStackPointer, 8000, (byte)WalkEnding.ReadFault)]
    [InlineData((byte)CfaKind.Unsupported, 0, (byte)WalkEnding.Unsupported)]
    [InlineData((byte)CfaKind.None, 0, (byte)WalkEnding.BrokenChain)]
    public void Says_why_it_could_not_go_on(byte kind, short offset, byte expected)
    {
        var (frames, ending) = Walk(Stack(), _ => new UnwindRule((CfaKind)kind, FramePointerKind.Same, offset), bp: 16);

        Assert.Equal([Leaf], frames);
        Assert.Equal((WalkEnding)expected, ending);
    }

    /// <summary>The copy begins at 0x7000, where rsp is; register 9 is 2, and the caller's address is at 0x7048.</summary>
    public static TheoryData<string, object> RulesOfLeaves => new()
    {
        { "*(rsp + 8 + 8 * r9) + 16", UnwindRule.Indexed(offset: 8, register: 9, addend: 16) },
        { "rsp + 112, return address 40 below", new UnwindRule(CfaKind.ReturnAddressAt, FramePointerKind.Same, CfaOffset: 0x70, CfaOffset2: -0x28) },
        { "rsp + 8, return address in r5", new UnwindRule(CfaKind.ReturnAddressIn, FramePointerKind.Same, CfaOffset: 8, CfaOffset2: 5) },
        { "r11 - 1 MiB", UnwindRule.FromRegister(11, 0x50 - 0x100000) },
        { "rbp - 64 KiB", UnwindRule.From(CfaKind.FramePointer, 0x50 - 0x10000) },
    };

    [Theory]
    [MemberData(nameof(RulesOfLeaves))]
    public void Finds_callers_by_rules_of_special_leaves(string rule, object leafRule)
    {
        var stack = Stack((8 + 8 * 2, Start + 0x40), (0x48, Caller));
        var registers = new ulong[16];
        (registers[9], registers[5], registers[11]) = (2, Caller, Start + 0x100000);
        var end = new UnwindRule(CfaKind.EndOfStack, FramePointerKind.Same, 0);

        var (frames, ending) = Walk(stack, address => address == Leaf ? (UnwindRule)leafRule : end, bp: Start + 0x10000, registers);

        Assert.True(frames is [Leaf, Caller], rule);
        Assert.Equal(WalkEnding.Complete, ending);
    }

    [Fact]
    public void Ends_in_a_loop_of_frame_pointers()
    {
        var stack = Stack((0x40, Start + 0x40), (0x48, Caller));

        var (frames, ending) = Walk(stack, _ => default, bp: Start + 0x40);

        Assert.Equal(WalkEnding.BrokenChain, ending);
        Assert.Equal([Leaf, Caller], frames);
    }

    private static (List<ulong> Frames, WalkEnding Ending) Walk(byte[] stack, Func<ulong, UnwindRule> ruleAt, ulong bp = 0, ulong[]? registers = null)
    {
        registers ??= new ulong[16];
        (registers[7], registers[6]) = (Start, bp);
        return new StackWalker(new StackCopy(default, Time: 0, Leaf, registers, Start, stack, Kernel: [], Python: []), ruleAt).Walk();
    }

    private static byte[] Stack(params (int Offset, ulong Value)[] words)
    {
        var bytes = new byte[4096];
        foreach (var (offset, value) in words)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(offset), value);
        }

        return bytes;
    }
}
