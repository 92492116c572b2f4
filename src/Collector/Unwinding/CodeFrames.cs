using ActorProfiler.Collector.Elf;
using Iced.Intel;

namespace ActorProfiler.Collector.Unwinding;

/// <summary>The rows of code that nothing describes, by the code itself: what its instructions do to the stack pointer and to rbp.</summary>
/// <remarks>
/// For files like musl's, whose build leaves unwind tables out. Functions begin at <see cref="CodeEntries"/>. From there every path is followed; what
/// only a jump table leads to is taken to have the frame of the jump, since compilers change a frame at a function's begin and ends only.
/// A guess where hand-written code does otherwise. x86-64 only.
/// </remarks>
internal sealed class CodeFrames(UnwindTableBuilder builder, UnwindRules rules)
{
    private const int InstructionsBetweenChecks = 65_536;

    // What the compiler's crtbegin.o adds to each program without descriptions. Libraries have tables among their assembly, which are not worth reading.
    private const ulong StartCode = 256;

    private readonly Stack<Path> _paths = new();
    private readonly Stack<Path> _jumpTables = new();
    private readonly HashSet<int> _withJumpTable = [];
    private byte[] _code = [];
    private ulong _address;
    private CodeFrame[] _frames = []; // by offset of an instruction; default = none reached
    private byte[] _lengths = [];
    private bool[] _isEntry = []; // paths from elsewhere end here: a function's first instruction, or code that is described

    /// <param name="At">Offset of the next instruction.</param>
    /// <param name="Function">Offset of the function's first.</param>
    private readonly record struct Path(int At, int Function, CodeFrame Frame);

    /// <summary>Adds the functions of <c>.text</c> that are not described: all of a C library's, or assembly among functions that are. Does nothing where they are few.</summary>
    /// <param name="check">Called now and then; ends the work by throwing.</param>
    /// <exception cref="FormatException">A table of symbols reaches past the end of the file.</exception>
    public void Add(ElfFile file, Action check)
    {
        if (file.Section(".text") is not { HasBytes: true, Size: > 0 and <= CodeEntries.LargestText } text || !file.IsCode(text.Address) || IsDescribed(file, text))
        {
            return;
        }

        (_code, _address) = (file.ReadSection(text, CodeEntries.LargestText), text.Address);
        (_frames, _lengths, _isEntry) = (new CodeFrame[_code.Length], new byte[_code.Length], new bool[_code.Length]);
        var entries = CodeEntries.Find(file, text, _code, check);
        foreach (var (start, end) in builder.Functions)
        {
            Mark(start, end, entries);
        }

        foreach (var entry in entries)
        {
            _isEntry[entry] = true;
            _paths.Push(new Path(entry, entry, CodeFrame.AtEntry));
        }

        FollowPaths(check);
        AddRows();
    }

    private bool IsDescribed(ElfFile file, ElfSection text) =>
        builder.UndescribedBytes(text.Address, text.Address + text.Size) <= (file.IsProgram() ? Math.Min(text.Size / 64, StartCode) : text.Size / 8);

    /// <summary>Leaves described code out.</summary>
    private void Mark(ulong start, ulong end, HashSet<int> entries)
    {
        for (var at = start; at < end && OffsetOf(at) is { } offset; at++)
        {
            _isEntry[offset] = true;
            entries.Remove(offset);
        }
    }

    private void FollowPaths(Action check)
    {
        var count = 0;
        while (_paths.Count > 0 || _jumpTables.Count > 0)
        {
            if (_paths.TryPop(out var path))
            {
                Follow(path, ref count, check);
            }
            else
            {
                FollowCase(_jumpTables.Pop(), ref count, check);
            }
        }
    }

    /// <summary>Follows the next code of a function that no path has reached; the one after it when that is done.</summary>
    private void FollowCase(Path path, ref int count, Action check)
    {
        var at = path.At;
        for (; at < _code.Length && (at == path.Function || !_isEntry[at]) && _lengths[at] != 0; at += _lengths[at])
        {
            CheckNowAndThen(++count, check);
        }

        if (at >= _code.Length || _isEntry[at])
        {
            return;
        }

        Follow(path with { At = at }, ref count, check);
        _jumpTables.Push(path with { At = at + Math.Max((int)_lengths[at], 1) });
    }

    private void Follow(Path path, ref int count, Action check)
    {
        var (at, frame) = (path.At, path.Frame);
        var decoder = DecoderAt(at);
        while (at < _code.Length && _lengths[at] == 0)
        {
            CheckNowAndThen(++count, check);
            decoder.Decode(out var instruction);
            if (instruction.IsInvalid)
            {
                return;
            }

            (_frames[at], _lengths[at]) = (frame, (byte)instruction.Length);
            frame = frame.After(instruction);
            at += instruction.Length;
            if (!Continues(instruction, path with { At = at, Frame = frame }) || (at < _code.Length && _isEntry[at]))
            {
                return; // before another function: the call does not return
            }
        }
    }

    /// <summary>Whether the code behind an instruction is next; where else it may go on is remembered.</summary>
    private bool Continues(in Instruction instruction, Path path)
    {
        switch (instruction.FlowControl)
        {
            case FlowControl.ConditionalBranch or FlowControl.UnconditionalBranch:
                if (OffsetOf(instruction.NearBranchTarget) is { } target && _lengths[target] == 0 && !_isEntry[target])
                {
                    _paths.Push(path with { At = target });
                }

                return instruction.FlowControl == FlowControl.ConditionalBranch;
            case FlowControl.IndirectBranch:
                if (_withJumpTable.Add(path.Function))
                {
                    _jumpTables.Push(path with { At = path.Function });
                }

                return false;
            case FlowControl.Return or FlowControl.Exception or FlowControl.Interrupt:
                return false;
            default:
                return true;
        }
    }

    /// <summary>A row wherever the rule changes; what no path has reached ends a function.</summary>
    private void AddRows()
    {
        for (var at = 0; at < _code.Length; at++)
        {
            if (_lengths[at] == 0)
            {
                continue;
            }

            var (start, firstRow) = (at, builder.BeginFunction());
            while (at < _code.Length && _lengths[at] != 0)
            {
                builder.AddRow(_address + (ulong)at, rules.Intern(_frames[at].ToRule()));
                at += _lengths[at];
            }

            builder.EndFunction(_address + (ulong)start, _address + (ulong)at, firstRow);
            at--;
        }
    }

    private Decoder DecoderAt(int offset)
    {
        var decoder = Decoder.Create(64, new ByteArrayCodeReader(_code, offset, _code.Length - offset));
        decoder.IP = _address + (ulong)offset;
        return decoder;
    }

    private int? OffsetOf(ulong address) => address - _address < (ulong)_code.Length && address >= _address ? (int)(address - _address) : null;

    private static void CheckNowAndThen(int count, Action check)
    {
        if (count % InstructionsBetweenChecks == 0)
        {
            check();
        }
    }
}
