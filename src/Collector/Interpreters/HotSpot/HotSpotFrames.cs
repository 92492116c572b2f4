using System.Buffers.Binary;
using ActorProfiler.Collector.Elf;
using ActorProfiler.Collector.Processes;
using ActorProfiler.Collector.Unwinding;

namespace ActorProfiler.Collector.Interpreters.HotSpot;

/// <summary>The unwind table of a JVM's own code, by its frame sizes: compiled Java keeps no frame pointer.</summary>
/// <remarks>
/// Compiled code has one frame size from prologue to epilogue and saves rbp right below the return address. The edges are found by their
/// instructions, which name that size. Source: src/hotspot/cpu/x86/{macroAssembler_x86.cpp (verified_entry), x86_64.ad (MachEpilogNode),
/// frame_x86.hpp} of OpenJDK.
/// </remarks>
internal sealed class HotSpotFrames
{
    private const int RowLimit = 1_000_000;
    private const int LargestCode = 4 << 20;
    private const long MostCodeBytes = 2L << 30; // HotSpot makes no larger code cache
    private const int ReturnAddressBytes = 8;
    private const short SavedFramePointer = -16;
    private const byte StackAdd = 0xc4;
    private const byte StackSubtract = 0xec;
    private const byte PushRbp = 0x55;
    private const byte PopRbp = 0x5d;
    private const byte Ret = 0xc3;
    private const int LongestExit = 40; // from pop to ret: the poll for a safepoint

    private readonly IByteSource _memory;
    private readonly UnwindTableBuilder _builder = new(RowLimit);
    private readonly UnwindRules _rules;
    private readonly ushort _unknown;
    private readonly ushort _called;
    private readonly ushort _pushed;
    private readonly ushort _interpreted;
    private byte[] _code = [];
    private long _codeBytes;

    private HotSpotFrames(IByteSource memory, UnwindRules rules)
    {
        (_memory, _rules) = (memory, rules);
        _unknown = rules.Intern(new UnwindRule(CfaKind.Unknown, FramePointerKind.Same, 0));
        _called = rules.Intern(new UnwindRule(CfaKind.StackPointer, FramePointerKind.Same, ReturnAddressBytes));
        _pushed = rules.Intern(new UnwindRule(CfaKind.StackPointer, FramePointerKind.AtCfa, 2 * ReturnAddressBytes, SavedFramePointer));
        _interpreted = rules.Intern(new UnwindRule(CfaKind.InterpreterFrame, FramePointerKind.Same, 0));
    }

    /// <summary>The table of all code that the JVM has now; addresses are those of the process. Null when it has none.</summary>
    /// <param name="library">libjvm.so as the process maps it.</param>
    /// <exception cref="FormatException">The JVM does not describe itself, or what it says cannot be.</exception>
    public static UnwindTable? Read(MappedFile library, IByteSource memory, UnwindRules rules) =>
        Build(HotSpotLayout.From(HotSpotStructs.Read(library, memory, HotSpotLayout.Types)), memory, rules);

    /// <summary>The same from a known layout.</summary>
    public static UnwindTable? Build(HotSpotLayout layout, IByteSource memory, UnwindRules rules)
    {
        var frames = new HotSpotFrames(memory, rules);
        foreach (var blob in new HotSpotCode(layout, memory).Blobs())
        {
            frames.Add(blob);
        }

        return frames._builder.Build(skippedEntries: 0);
    }

    private void Add(HotSpotBlob blob)
    {
        if (blob.End == blob.Start)
        {
            return;
        }

        var first = _builder.BeginFunction();
        if (blob.FrameBytes > 0)
        {
            AddCompiled(blob);
        }
        else
        {
            _builder.AddRow(blob.Start, blob.Name switch
            {
                "" => _unknown,
                "Interpreter" => _interpreted,
                var name when name.StartsWith("I2C", StringComparison.Ordinal) || name.StartsWith("vtable", StringComparison.Ordinal) => _called,
                _ => 0, // stubs: they keep rbp
            });
        }

        _builder.EndFunction(blob.Start, blob.End, first);
    }

    private void AddCompiled(HotSpotBlob blob)
    {
        var body = BodyRule(blob.FrameBytes);
        var code = Code(blob);
        var position = AddPrologue(blob, code, body);
        AddEpilogues(blob, code, position, body);
    }

    /// <summary>The blob's bytes, as many as can be read, until the next call.</summary>
    private ReadOnlySpan<byte> Code(HotSpotBlob blob)
    {
        var wanted = (int)Math.Min(blob.End - blob.Start, LargestCode);
        _codeBytes += wanted;
        if (_codeBytes > MostCodeBytes)
        {
            throw new FormatException($"a JVM with more than {MostCodeBytes} bytes of compiled code");
        }

        if (_code.Length < wanted)
        {
            _code = new byte[wanted];
        }

        return _code.AsSpan(0, _memory.ReadFully((long)blob.Start, _code.AsSpan(0, wanted)));
    }

    private ushort BodyRule(int frameBytes) =>
        _rules.Intern(UnwindRule.From(CfaKind.StackPointer, frameBytes) with { FramePointerKind = FramePointerKind.AtCfa, FramePointerOffset = SavedFramePointer });

    /// <summary>Rows up to where the frame stands; returns that place.</summary>
    private int AddPrologue(HotSpotBlob blob, ReadOnlySpan<byte> code, ushort body)
    {
        var complete = blob.FrameComplete > 0 && blob.FrameComplete <= code.Length ? blob.FrameComplete : 0;
        var entry = code[..complete];
        var afterPush = Instruction(StackSubtract, blob.FrameBytes - 2 * ReturnAddressBytes);
        var alone = Instruction(StackSubtract, blob.FrameBytes - ReturnAddressBytes);
        if (complete > 0)
        {
            _builder.AddRow(blob.Start, _called);
        }

        if (entry.LastIndexOf(afterPush) is var at and > 0 && entry[..at].LastIndexOf(PushRbp) is var push and >= 0 && at - push <= 4)
        {
            _builder.AddRow(blob.Start + (ulong)push + 1, _pushed);
            complete = at + afterPush.Length;
        }
        else if (entry.LastIndexOf(alone) is var only and >= 0)
        {
            complete = only + alone.Length;
        }

        _builder.AddRow(blob.Start + (ulong)complete, body);
        return complete;
    }

    private void AddEpilogues(HotSpotBlob blob, ReadOnlySpan<byte> code, int position, ushort body)
    {
        var locals = blob.FrameBytes - 2 * ReturnAddressBytes;
        if (locals <= 0)
        {
            return; // a pop alone is too common to tell
        }

        byte[] leave = [.. Instruction(StackAdd, locals), PopRbp];
        while (code[position..].IndexOf(leave) is var at and >= 0)
        {
            var popped = position + at + leave.Length;
            _builder.AddRow(blob.Start + (ulong)popped - 1, _pushed);
            _builder.AddRow(blob.Start + (ulong)popped, _called);
            var exit = code[popped..Math.Min(popped + LongestExit, code.Length)].IndexOf(Ret);
            position = Math.Min(popped + (exit < 0 ? LongestExit : exit + 1), code.Length);
            if (position < code.Length)
            {
                _builder.AddRow(blob.Start + (ulong)position, body);
            }
        }
    }

    /// <summary><c>add rsp, bytes</c> or <c>sub rsp, bytes</c> in the shorter of its two forms.</summary>
    private static byte[] Instruction(byte operation, int bytes)
    {
        if (bytes is >= sbyte.MinValue and <= sbyte.MaxValue)
        {
            return [0x48, 0x83, operation, (byte)bytes];
        }

        var instruction = new byte[] { 0x48, 0x81, operation, 0, 0, 0, 0 };
        BinaryPrimitives.WriteInt32LittleEndian(instruction.AsSpan(3), bytes);
        return instruction;
    }
}
