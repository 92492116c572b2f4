using Iced.Intel;

namespace ActorProfiler.Collector.Unwinding;

/// <summary>Where a function's caller is, as the instructions so far have left it.</summary>
/// <param name="Depth">CFA − rsp: 8 at a function's begin; 0 when it is not known (an aligned stack).</param>
/// <param name="FromFramePointer">CFA − rbp; 0 when rbp does not point into the frame.</param>
/// <param name="SavedFramePointer">CFA − address of the caller's rbp; 0 when that is still in rbp.</param>
internal readonly record struct CodeFrame(int Depth, int FromFramePointer, int SavedFramePointer)
{
    private const int Word = 8;
    private const int Largest = 16 << 20;

    public static readonly CodeFrame AtEntry = new(Depth: Word, 0, 0);

    /// <summary>The frame after an instruction.</summary>
    public CodeFrame After(in Instruction instruction)
    {
        if (instruction.FlowControl is FlowControl.Call or FlowControl.IndirectCall)
        {
            return this;
        }

        var first = instruction.OpCount > 0 && instruction.Op0Kind == OpKind.Register ? instruction.Op0Register : Register.None;
        return (instruction.Mnemonic, first) switch
        {
            (Mnemonic.Push, Register.RBP) when SavedFramePointer == 0 && Depth > 0 => Moved(-Word) with { SavedFramePointer = Depth + Word },
            (Mnemonic.Pop, Register.RBP) => Moved(Word) with { FromFramePointer = 0, SavedFramePointer = 0 },
            (Mnemonic.Leave, _) => new CodeFrame(Math.Max(FromFramePointer - Word, 0), 0, 0),
            (Mnemonic.Add, Register.RSP) when IsConstant(instruction) => Moved((long)instruction.GetImmediate(1)),
            (Mnemonic.Sub, Register.RSP) when IsConstant(instruction) => Moved(-(long)instruction.GetImmediate(1)),
            (Mnemonic.Lea, Register.RSP) => LoadedFrom(instruction.MemoryBase, instruction.MemoryIndex, (long)instruction.MemoryDisplacement64),
            (Mnemonic.Mov, Register.RSP) when instruction.Op1Kind == OpKind.Register => LoadedFrom(instruction.Op1Register, Register.None, 0),
            (Mnemonic.Mov, Register.RBP) when instruction.Op1Kind == OpKind.Register && instruction.Op1Register == Register.RSP => this with { FromFramePointer = Depth },
            (_, Register.RSP) when instruction.Mnemonic is not (Mnemonic.Push or Mnemonic.Cmp or Mnemonic.Test) => this with { Depth = 0 },
            (_, Register.RBP or Register.EBP) when instruction.Mnemonic is not (Mnemonic.Push or Mnemonic.Cmp or Mnemonic.Test) => this with { FromFramePointer = 0 },
            _ => Moved(instruction.StackPointerIncrement),
        };
    }

    /// <summary>The rule, or the default one where nothing is known: by the frame pointer.</summary>
    public UnwindRule ToRule()
    {
        var rule = Depth > 0 ? UnwindRule.From(CfaKind.StackPointer, Depth) : UnwindRule.From(CfaKind.FramePointer, FromFramePointer);
        return Depth == 0 && FromFramePointer == 0 ? default
            : SavedFramePointer == 0 ? rule
            : SavedFramePointer > short.MaxValue ? rule with { FramePointerKind = FramePointerKind.Unsupported }
            : rule with { FramePointerKind = FramePointerKind.AtCfa, FramePointerOffset = (short)-SavedFramePointer };
    }

    /// <param name="up">Bytes that the stack pointer moves up.</param>
    private CodeFrame Moved(long up) =>
        Depth == 0 ? this : Depth - up is >= Word and <= Largest and var depth ? this with { Depth = (int)depth } : this with { Depth = 0 };

    private CodeFrame LoadedFrom(Register register, Register index, long displacement)
    {
        var from = register switch { Register.RSP => Depth, Register.RBP => FromFramePointer, _ => 0 };
        return from > 0 && index == Register.None && from - displacement is >= Word and <= Largest and var depth
            ? this with { Depth = (int)depth }
            : this with { Depth = 0 };
    }

    private static bool IsConstant(in Instruction instruction) => instruction.Op1Kind is OpKind.Immediate8to64 or OpKind.Immediate32to64;
}
