using System.Collections.Immutable;
using Iced.Intel;

namespace ActorProfiler.Collector.Interpreters;

/// <summary>What a small function returns and calls with, by its instructions: every path is followed, whatever its conditions are.</summary>
/// <remarks>For functions that only fetch something. Memory is not modelled but the stack's pushes and pops. x86-64 only.</remarks>
internal sealed class CodePaths
{
    private const int MostInstructions = 256;
    private const int RegisterCount = 16;

    private readonly byte[] _code;
    private readonly ulong _address;
    private readonly Func<CodeCall, CodeValue> _onCall;
    private readonly Stack<Path> _paths = new();
    private readonly HashSet<int> _begun = [];
    private readonly InstructionInfoFactory _uses = new();
    private readonly List<CodeValue> _returned = [];

    private readonly record struct Path(int At, ImmutableArray<CodeValue> Registers, ImmutableStack<CodeValue> Pushed);

    private CodePaths(byte[] code, ulong address, Func<CodeCall, CodeValue> onCall) => (_code, _address, _onCall) = (code, address, onCall);

    /// <summary>Follows the function at the begin of <paramref name="code"/>.</summary>
    /// <param name="address">Of the first byte.</param>
    /// <param name="argument">The first one, in rdi.</param>
    /// <param name="onCall">Gets each call and each jump out of the code; gives what it returns.</param>
    /// <returns>What the paths return, in the order in which compilers lay out code: the likely one first.</returns>
    public static IReadOnlyList<CodeValue> Follow(byte[] code, ulong address, CodeValue argument, Func<CodeCall, CodeValue> onCall)
    {
        var paths = new CodePaths(code, address, onCall);
        var registers = Enumerable.Repeat(CodeValue.Unknown, RegisterCount).ToImmutableArray();
        paths._paths.Push(new Path(0, registers.SetItem(Index(Register.RDI), argument), []));
        for (var budget = MostInstructions; paths._paths.TryPop(out var path);)
        {
            paths.Follow(path, ref budget);
        }

        return paths._returned;
    }

    private void Follow(Path path, ref int budget)
    {
        var registers = path.Registers.ToArray();
        var pushed = path.Pushed;
        var decoder = Decoder.Create(64, new ByteArrayCodeReader(_code, path.At, _code.Length - path.At));
        decoder.IP = _address + (ulong)path.At;
        while (--budget > 0)
        {
            decoder.Decode(out var instruction);
            switch (instruction.FlowControl)
            {
                case var _ when instruction.IsInvalid:
                    return;
                case FlowControl.Return:
                    _returned.Add(registers[Index(Register.RAX)]);
                    return;
                case FlowControl.Call or FlowControl.IndirectCall:
                    Call(instruction, registers);
                    break;
                case FlowControl.ConditionalBranch:
                    Begin(instruction.NearBranchTarget, registers, pushed);
                    break;
                case FlowControl.UnconditionalBranch when Begin(instruction.NearBranchTarget, registers, pushed):
                    return;
                case FlowControl.UnconditionalBranch or FlowControl.IndirectBranch:
                    Call(instruction, registers);
                    _returned.Add(registers[Index(Register.RAX)]);
                    return;
                case FlowControl.Next:
                    Execute(instruction, registers, ref pushed);
                    break;
                default:
                    return;
            }
        }
    }

    /// <summary>Remembers a path to follow. False where it leads out of the code.</summary>
    private bool Begin(ulong target, CodeValue[] registers, ImmutableStack<CodeValue> pushed)
    {
        var at = unchecked(target - _address);
        if (at >= (ulong)_code.Length)
        {
            return false;
        }

        if (_begun.Add((int)at))
        {
            _paths.Push(new Path((int)at, [.. registers], pushed));
        }

        return true;
    }

    private void Call(in Instruction instruction, CodeValue[] registers)
    {
        CodeValue? descriptor = instruction.Op0Kind == OpKind.Memory ? Place(instruction, registers) : null;
        registers[Index(Register.RAX)] = _onCall(new CodeCall(registers[Index(Register.RDI)], descriptor));
        foreach (var clobbered in (ReadOnlySpan<Register>)[Register.RCX, Register.RDX, Register.RSI, Register.RDI, Register.R8, Register.R9, Register.R10, Register.R11])
        {
            registers[Index(clobbered)] = CodeValue.Unknown;
        }
    }

    private void Execute(in Instruction instruction, CodeValue[] registers, ref ImmutableStack<CodeValue> pushed)
    {
        if (instruction.Mnemonic == Mnemonic.Push)
        {
            pushed = pushed.Push(instruction.Op0Kind == OpKind.Register ? Get(instruction.Op0Register, registers) : CodeValue.Unknown);
            return;
        }

        if (instruction.Mnemonic == Mnemonic.Pop && !pushed.IsEmpty && instruction.Op0Kind == OpKind.Register)
        {
            pushed = pushed.Pop(out var value);
            registers[Index(instruction.Op0Register)] = value;
            return;
        }

        var result = Result(instruction, registers);
        foreach (var used in _uses.GetInfo(instruction).GetUsedRegisters())
        {
            if (used.Access is OpAccess.Write or OpAccess.ReadWrite or OpAccess.CondWrite or OpAccess.ReadCondWrite && used.Register.IsGPR())
            {
                registers[Index(used.Register)] = used.Register.IsGPR32() || used.Register.IsGPR64() ? result : CodeValue.Unknown;
            }
        }
    }

    /// <summary>What the instruction leaves in its first operand.</summary>
    private static CodeValue Result(in Instruction instruction, CodeValue[] registers)
    {
        if (instruction.OpCount != 2 || instruction.Op0Kind != OpKind.Register)
        {
            return CodeValue.Unknown;
        }

        var first = Get(instruction.Op0Register, registers);
        if (instruction.Mnemonic == Mnemonic.Lea)
        {
            return Place(instruction, registers);
        }

        var second = instruction.Op1Kind switch
        {
            OpKind.Register => Get(instruction.Op1Register, registers),
            OpKind.Memory => Place(instruction, registers).Load(),
            >= OpKind.Immediate8 and <= OpKind.Immediate32to64 => CodeValue.Constant(instruction.GetImmediate(1)),
            _ => CodeValue.Unknown,
        };
        return instruction.Mnemonic switch
        {
            Mnemonic.Mov => instruction.Op0Register.IsGPR32() && second.Number is { } wide ? CodeValue.Constant((uint)wide) : second,
            Mnemonic.Xor when instruction.Op1Kind == OpKind.Register && instruction.Op0Register == instruction.Op1Register => CodeValue.Constant(0),
            Mnemonic.Add => first + second,
            Mnemonic.Sub when second.Number is { } number => first + unchecked(-(long)number),
            Mnemonic.And when first.Number is { } left && second.Number is { } right => CodeValue.Constant(left & right),
            Mnemonic.Shl or Mnemonic.Sal when first.Number is { } left && second.Number is { } right => CodeValue.Constant(left << (int)(right & 63)),
            Mnemonic.Shr when first.Number is { } left && second.Number is { } right => CodeValue.Constant(left >> (int)(right & 63)),
            _ => CodeValue.Unknown,
        };
    }

    /// <summary>The address of the memory operand.</summary>
    private static CodeValue Place(in Instruction instruction, CodeValue[] registers)
    {
        var place = instruction.IsIPRelativeMemoryOperand
            ? CodeValue.Constant(instruction.IPRelativeMemoryAddress) : CodeValue.Constant(instruction.MemoryDisplacement64) + Get(instruction.MemoryBase, registers, 0);
        if (instruction.MemoryIndex != Register.None)
        {
            var index = Get(instruction.MemoryIndex, registers);
            place += index.Number is { } number ? CodeValue.Constant(unchecked(number * (ulong)instruction.MemoryIndexScale))
                : instruction.MemoryIndexScale == 1 ? index : CodeValue.Unknown;
        }

        return instruction.SegmentPrefix switch
        {
            Register.None or Register.DS => place,
            Register.FS => place.InThread(),
            _ => CodeValue.Unknown,
        };
    }

    private static CodeValue Get(Register register, CodeValue[] registers, ulong none) => register == Register.None ? CodeValue.Constant(none) : Get(register, registers);

    private static CodeValue Get(Register register, CodeValue[] registers) =>
        register.IsGPR32() || register.IsGPR64() ? registers[Index(register)] : CodeValue.Unknown;

    private static int Index(Register register) => register.GetFullRegister() - Register.RAX;
}

/// <summary>A call, or a jump out of the function.</summary>
/// <param name="Argument">The first one.</param>
/// <param name="Through">Where the address that is called is read from, if from memory.</param>
internal readonly record struct CodeCall(CodeValue Argument, CodeValue? Through);
