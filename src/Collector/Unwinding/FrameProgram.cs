using ActorProfiler.Collector.Elf;

namespace ActorProfiler.Collector.Unwinding;

/// <summary>Runs the instructions of frame entries and hands a row to the builder wherever the code address advances.</summary>
/// <remarks>Source: DWARF 5 §6.4.2. Steps over all entries together are bounded.</remarks>
internal sealed class FrameProgram(UnwindTableBuilder builder, UnwindRules rules, long stepLimit)
{
    private const int StackLimit = 64;

    private readonly Stack<FrameState> _saved = new();
    private UnwindRule _lastRule;
    private ushort _lastNumber;
    private long _steps;

    /// <summary>Adds the rows of one function.</summary>
    /// <exception cref="FormatException">An instruction is unknown or cut off, or the budget is used up.</exception>
    public void Run(in FrameEntries entries, in CommonEntry common, ReadOnlySpan<byte> section, Range program, ulong start)
    {
        var state = default(FrameState);
        var address = start;
        _saved.Clear();
        Run(entries, common, section, common.Program, ref state, ref address, state, isCommon: true);
        var initial = state;
        Run(entries, common, section, program, ref state, ref address, initial, isCommon: false);
        AddRow(address, state, common);
    }

    private void Run(in FrameEntries entries, in CommonEntry common, ReadOnlySpan<byte> section, Range program,
        ref FrameState state, ref ulong address, in FrameState initial, bool isCommon)
    {
        var at = program.Start.GetOffset(section.Length);
        var fields = new ByteReader(section[program]);
        while (!fields.AtEnd)
        {
            if (++_steps > stepLimit)
            {
                throw new FrameBudgetException($"more than {stepLimit} frame instructions");
            }

            var instruction = fields.U8();
            var operand = instruction & 0x3f;
            switch (instruction >> 6)
            {
                case 1:
                    Advance(ref address, (ulong)operand, state, common, isCommon);
                    break;
                case 2:
                    SetOffset(ref state, (ulong)operand, unchecked((long)fields.Uleb() * common.DataAlignment), common);
                    break;
                case 3:
                    Restore(ref state, (ulong)operand, initial, common);
                    break;
                default:
                    if (operand is 1 or 2 or 3 or 4)
                    {
                        AdvanceTo(entries, ref fields, at, operand, ref address, state, common, isCommon);
                    }
                    else
                    {
                        Extended(operand, ref fields, ref state, initial, common);
                    }

                    break;
            }
        }
    }

    private void AdvanceTo(in FrameEntries entries, ref ByteReader fields, int at, int operand,
        ref ulong address, in FrameState state, in CommonEntry common, bool isCommon)
    {
        if (operand == 1)
        {
            if (!isCommon)
            {
                AddRow(address, state, common);
            }

            address = entries.ReadPointer(ref fields, common.PointerEncoding, at);
            return;
        }

        Advance(ref address, operand switch { 2 => fields.U8(), 3 => fields.U16(), _ => fields.U32() }, state, common, isCommon);
    }

    private void Advance(ref ulong address, ulong delta, in FrameState state, in CommonEntry common, bool isCommon)
    {
        if (!isCommon)
        {
            AddRow(address, state, common);
        }

        address = unchecked(address + delta * common.CodeAlignment);
    }

    private void AddRow(ulong address, in FrameState state, in CommonEntry common)
    {
        var rule = state.ToRule(common.IsSignalFrame);
        if (rule != _lastRule || _lastNumber == 0)
        {
            (_lastRule, _lastNumber) = (rule, rules.Intern(rule));
        }

        builder.AddRow(address, _lastNumber);
    }

    private void Extended(int instruction, ref ByteReader fields, ref FrameState state, in FrameState initial, in CommonEntry common)
    {
        switch (instruction)
        {
            case 0x00: // nop
            case 0x2d: // GNU_window_save
                break;
            case 0x05: // offset_extended
                SetOffset(ref state, fields.Uleb(), unchecked((long)fields.Uleb() * common.DataAlignment), common);
                break;
            case 0x11: // offset_extended_sf
                SetOffset(ref state, fields.Uleb(), unchecked(fields.Sleb() * common.DataAlignment), common);
                break;
            case 0x2f: // GNU_negative_offset_extended
                SetOffset(ref state, fields.Uleb(), unchecked(-(long)fields.Uleb() * common.DataAlignment), common);
                break;
            case 0x06: // restore_extended
                Restore(ref state, fields.Uleb(), initial, common);
                break;
            case 0x07: // undefined
                SetKind(ref state, fields.Uleb(), FramePointerKind.Same, FrameState.ReturnAddressRule.Undefined, common);
                break;
            case 0x08: // same_value
                SetKind(ref state, fields.Uleb(), FramePointerKind.Same, FrameState.ReturnAddressRule.Elsewhere, common);
                break;
            case 0x09: // register
                SaveInRegister(ref state, fields.Uleb(), fields.Uleb(), common);
                break;
            case 0x0a: // remember_state
                Save(state);
                break;
            case 0x0b: // restore_state
                state = _saved.TryPop(out var saved) ? saved : throw new FormatException("frame program restores a state it did not save");
                break;
            case 0x10: // expression
                SaveByExpression(ref state, fields.Uleb(), fields.Take(fields.Uleb()), common);
                break;
            case 0x14: // val_offset
            case 0x15: // val_offset_sf
                SetKind(ref state, fields.Uleb(), FramePointerKind.Unsupported, FrameState.ReturnAddressRule.Elsewhere, common);
                fields.Uleb();
                break;
            case 0x16: // val_expression
                SetKind(ref state, fields.Uleb(), FramePointerKind.Unsupported, FrameState.ReturnAddressRule.Elsewhere, common);
                fields.Skip(fields.Uleb());
                break;
            case 0x2e: // GNU_args_size
                fields.Uleb();
                break;
            default:
                DefineCfa(instruction, ref fields, ref state, common);
                break;
        }
    }

    private static void DefineCfa(int instruction, ref ByteReader fields, ref FrameState state, in CommonEntry common)
    {
        switch (instruction)
        {
            case 0x0c: // def_cfa
                (state.CfaRegister, state.CfaOffset, state.CfaExpression) = (fields.Uleb(), (long)fields.Uleb(), null);
                break;
            case 0x12: // def_cfa_sf
                (state.CfaRegister, state.CfaOffset, state.CfaExpression) = (fields.Uleb(), unchecked(fields.Sleb() * common.DataAlignment), null);
                break;
            case 0x0d: // def_cfa_register
                (state.CfaRegister, state.CfaExpression) = (fields.Uleb(), null);
                break;
            case 0x0e: // def_cfa_offset
                state.CfaOffset = (long)fields.Uleb();
                break;
            case 0x13: // def_cfa_offset_sf
                state.CfaOffset = unchecked(fields.Sleb() * common.DataAlignment);
                break;
            case 0x0f: // def_cfa_expression
                state.CfaExpression = CfaExpression.Read(fields.Take(fields.Uleb()));
                break;
            default:
                throw new FormatException($"unknown frame instruction {instruction:x}");
        }
    }

    private void Save(in FrameState state)
    {
        if (_saved.Count >= StackLimit)
        {
            throw new FormatException($"frame program saves more than {StackLimit} states");
        }

        _saved.Push(state);
    }

    private static void SaveByExpression(ref FrameState state, ulong register, ReadOnlySpan<byte> expression, in CommonEntry common)
    {
        if (register == FrameState.Rbp)
        {
            state.FramePointer = CfaExpression.IsFramePointerPlus(expression, out var offset) ? FramePointerKind.AtFramePointer : FramePointerKind.Unsupported;
            state.FramePointerOffset = offset;
        }
        else if (register == common.ReturnAddressRegister && !common.IsSignalFrame)
        {
            state.ReturnAddress = FrameState.ReturnAddressRule.Elsewhere;
        }
    }

    private static void SaveInRegister(ref FrameState state, ulong register, ulong keeper, in CommonEntry common)
    {
        var isKnown = keeper < 16;
        SetKind(ref state, register, isKnown ? FramePointerKind.Register : FramePointerKind.Unsupported,
            isKnown ? FrameState.ReturnAddressRule.InRegister : FrameState.ReturnAddressRule.Elsewhere, common);
        if (register == FrameState.Rbp)
        {
            state.FramePointerOffset = (long)keeper;
        }
        else if (register == common.ReturnAddressRegister)
        {
            state.ReturnAddressOffset = (long)keeper;
        }
    }

    private static void SetOffset(ref FrameState state, ulong register, long offset, in CommonEntry common)
    {
        if (register == FrameState.Rbp)
        {
            (state.FramePointer, state.FramePointerOffset) = (FramePointerKind.AtCfa, offset);
        }
        else if (register == common.ReturnAddressRegister)
        {
            state.ReturnAddress = offset == -8 ? FrameState.ReturnAddressRule.BelowCfa : FrameState.ReturnAddressRule.AtCfa;
            state.ReturnAddressOffset = offset;
        }
        else
        {
            state.MovesStackPointer |= register == FrameState.Rsp;
        }
    }

    private static void SetKind(ref FrameState state, ulong register, FramePointerKind kind, FrameState.ReturnAddressRule rule, in CommonEntry common)
    {
        if (register == FrameState.Rbp)
        {
            state.FramePointer = kind;
        }
        else if (register == common.ReturnAddressRegister)
        {
            state.ReturnAddress = rule;
        }
        else
        {
            state.MovesStackPointer |= register == FrameState.Rsp;
        }
    }

    private static void Restore(ref FrameState state, ulong register, in FrameState initial, in CommonEntry common)
    {
        if (register == FrameState.Rbp)
        {
            (state.FramePointer, state.FramePointerOffset) = (initial.FramePointer, initial.FramePointerOffset);
        }
        else if (register == common.ReturnAddressRegister)
        {
            (state.ReturnAddress, state.ReturnAddressOffset) = (initial.ReturnAddress, initial.ReturnAddressOffset);
        }
    }
}
