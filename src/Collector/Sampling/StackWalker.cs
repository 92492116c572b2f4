using System.Buffers.Binary;
using ActorProfiler.Collector.Unwinding;

namespace ActorProfiler.Collector.Sampling;

/// <summary>Walks a stack that was copied because its process was not known yet: what <c>unwind</c> of bpf/sampler.bpf.c does to a live one.</summary>
/// <param name="ruleAt">The rule of a code address; the default one means: by the frame pointer.</param>
internal sealed class StackWalker(StackCopy copy, Func<ulong, UnwindRule> ruleAt)
{
    private const int MostFrames = 256;
    private const int StackPointerRegister = 7;
    private const int FramePointerRegister = 6;
    private const ulong LowestCodeAddress = 4096;
    private const ulong FramePointerReach = 8 << 20;

    // struct rt_sigframe: arch/x86/include/asm/sigframe.h
    private const int SignalFramePointer = 120;
    private const int SignalStackPointer = 160;
    private const int SignalAddress = 168;

    private readonly List<ulong> _frames = [];
    private ulong _ip = copy.Ip;
    private ulong _sp = copy.Registers[StackPointerRegister];
    private ulong _bp = copy.Registers[FramePointerRegister];
    private bool _isInterrupted = true; // _ip is where the thread stands, not a return address

    /// <summary>The user addresses, innermost first, and how the walk ended: <see cref="WalkEnding.ReadFault"/> also at the end of the copy.</summary>
    public (List<ulong> Frames, WalkEnding Ending) Walk()
    {
        while (_frames.Count < MostFrames)
        {
            _frames.Add(_ip);
            if (Step() is { } ending)
            {
                return (_frames, ending);
            }
        }

        return (_frames, WalkEnding.Truncated);
    }

    private bool IsLeaf => _isInterrupted && _frames.Count == 1;

    private WalkEnding? Step()
    {
        if (_isInterrupted && _ip < LowestCodeAddress)
        {
            return TryRead(_sp, out var caller) ? StepTo(caller, _sp + 8, _bp) : WalkEnding.ReadFault;
        }

        var rule = ruleAt(_isInterrupted ? _ip : _ip - 1);
        return rule.CfaKind switch
        {
            CfaKind.None or CfaKind.Unknown => StepByFramePointer(),
            CfaKind.SignalFrame => StepOverSignal(),
            CfaKind.EndOfStack => WalkEnding.Complete,
            CfaKind.OtherStack when _bp == 0 => WalkEnding.Complete,
            _ => FrameAddress(rule, out var failure) is { } frame ? StepByRule(rule, frame) : failure,
        };
    }

    private ulong? FrameAddress(in UnwindRule rule, out WalkEnding failure)
    {
        failure = WalkEnding.ReadFault;
        switch (rule.CfaKind)
        {
            case CfaKind.StackPointer:
                return Plus(_sp, rule.FarOffset);
            case CfaKind.FramePointer:
                return Plus(_bp, rule.FarOffset);
            case CfaKind.OtherStack:
                return Plus(_bp, rule.CfaOffset);
            case CfaKind.ReturnAddressAt:
                return Plus(_sp, rule.CfaOffset);
            case CfaKind.ReturnAddressIn when IsLeaf:
                return Plus(_sp, rule.CfaOffset);
            case CfaKind.Plt:
                return _sp + 8 + ((long)(_ip & 15) >= rule.CfaOffset ? 8u : 0);
            case CfaKind.AtFramePointer or CfaKind.AtStackPointer:
                var at = Plus(rule.CfaKind == CfaKind.AtFramePointer ? _bp : _sp, rule.CfaOffset);
                return TryRead(at, out var value) ? Plus(value, rule.CfaOffset2) : null;
            case CfaKind.AtIndexedStackPointer when IsLeaf:
                return TryRead(Plus(_sp, rule.CfaOffset) + 8 * copy.Registers[rule.CfaRegister], out var found) ? Plus(found, rule.Addend) : null;
            case CfaKind.Register when IsLeaf:
                return Plus(copy.Registers[rule.CfaRegister], rule.FarOffset);
            default:
                failure = WalkEnding.Unsupported;
                return null;
        }
    }

    private WalkEnding? StepByRule(in UnwindRule rule, ulong frame)
    {
        if (rule.CfaKind == CfaKind.ReturnAddressIn)
        {
            return StepTo(copy.Registers[rule.CfaRegister], frame, _bp);
        }

        if (!TryRead(Plus(frame, rule.CfaKind == CfaKind.ReturnAddressAt ? rule.CfaOffset2 : -8), out var caller))
        {
            return WalkEnding.ReadFault;
        }

        var bp = _bp;
        switch (rule.FramePointerKind)
        {
            case FramePointerKind.AtCfa or FramePointerKind.AtFramePointer:
                var at = Plus(rule.FramePointerKind == FramePointerKind.AtCfa ? frame : _bp, rule.FramePointerOffset);
                if (!TryRead(at, out bp))
                {
                    return WalkEnding.ReadFault;
                }

                break;
            case FramePointerKind.Register when IsLeaf:
                bp = copy.Registers[rule.FramePointerOffset & 15];
                break;
        }

        return StepTo(caller, frame, bp);
    }

    private WalkEnding? StepByFramePointer()
    {
        if (_bp == 0)
        {
            return WalkEnding.Complete;
        }

        if (_bp < _sp || _bp - _sp > FramePointerReach)
        {
            return WalkEnding.BrokenChain;
        }

        if (!TryRead(_bp, out var callersBp) || !TryRead(_bp + 8, out var caller))
        {
            return WalkEnding.ReadFault;
        }

        return caller is > 0 and < LowestCodeAddress ? WalkEnding.BrokenChain : StepTo(caller, _bp + 16, callersBp);
    }

    private WalkEnding? StepOverSignal()
    {
        if (!TryRead(_sp + SignalFramePointer, out var bp) || !TryRead(_sp + SignalStackPointer, out var sp) || !TryRead(_sp + SignalAddress, out var ip))
        {
            return WalkEnding.ReadFault;
        }

        var ending = StepTo(ip, sp, bp);
        _isInterrupted = true;
        return ending;
    }

    private WalkEnding? StepTo(ulong ip, ulong sp, ulong bp)
    {
        if (ip == 0)
        {
            return WalkEnding.Complete;
        }

        (_ip, _sp, _bp, _isInterrupted) = (ip, sp, bp, false);
        return null;
    }

    private bool TryRead(ulong address, out ulong value)
    {
        value = 0;
        var offset = unchecked(address - copy.Start);
        if (copy.Stack.Length < sizeof(ulong) || offset > (ulong)copy.Stack.Length - sizeof(ulong))
        {
            return false;
        }

        value = BinaryPrimitives.ReadUInt64LittleEndian(copy.Stack.AsSpan((int)offset));
        return true;
    }

    private static ulong Plus(ulong address, int offset) => unchecked(address + (ulong)(long)offset);
}
