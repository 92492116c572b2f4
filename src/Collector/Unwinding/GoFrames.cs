using ActorProfiler.Collector.Elf;
using ActorProfiler.Collector.Elf.Go;

namespace ActorProfiler.Collector.Unwinding;

/// <summary>The rows of a Go program's own functions, by its function table.</summary>
/// <remarks>
/// Go keeps frame pointers, but a function without locals sets none up, so that a walk by them alone loses its caller. On x86-64 a function with
/// a frame saves rbp right below its return address. The runtime's switches between stacks are known by name: rbp is then still that of
/// the stack they left. Source: go/src/cmd/internal/obj/x86/obj6.go (preprocess), go/src/runtime/asm_amd64.s.
/// </remarks>
internal sealed class GoFrames(UnwindTableBuilder builder, UnwindRules rules)
{
    private const int ReturnAddressBytes = 8;
    private const short SavedFramePointer = -16;
    private const int LargestDepth = 1 << 30;

    private readonly List<(ulong From, int Depth)> _rows = [];
    private UnwindRule _lastRule;
    private ushort _lastNumber;

    /// <summary>Adds the functions of a file. Returns how many were left out because they are malformed.</summary>
    /// <param name="check">Called now and then; ends the work by throwing.</param>
    /// <exception cref="FormatException">The table is malformed, or of a version before Go 1.18.</exception>
    public int Add(ElfFile file, Action check)
    {
        if (GoTable.Read(file)?.ReadStackDepths(file) is not { } depths)
        {
            return 0;
        }

        var skipped = 0;
        for (var i = 0; i < depths.Count; i++)
        {
            if (i % 1024 == 0)
            {
                check();
            }

            skipped += TryAdd(file, depths, i) ? 0 : 1;
        }

        return skipped;
    }

    private bool TryAdd(ElfFile file, GoStackDepths depths, int index)
    {
        var firstRow = builder.BeginFunction();
        try
        {
            var code = depths.Read(index, _rows);
            if (code.End <= code.Start)
            {
                return true; // a marker of the linker
            }

            if (!file.IsCode(code.Start) || !file.IsCode(code.End - 1))
            {
                return false;
            }

            if (RuleOfAll(code.Flags, depths, index) is { } rule)
            {
                builder.AddRow(code.Start, NumberOf(rule));
            }
            else
            {
                AddRows(code, keepsFramePointer: depths.NameOf(index) is var name && name.SequenceEqual("crosscall2"u8));
            }

            builder.EndFunction(code.Start, code.End, firstRow);
            return true;
        }
        catch (FormatException e) when (e is not FrameBudgetException)
        {
            builder.DropRows(firstRow);
            return false;
        }
    }

    /// <summary>The one rule of a function that its table does not describe; null for all others.</summary>
    private static UnwindRule? RuleOfAll(GoFunctionFlags flags, GoStackDepths depths, int index)
    {
        if (flags.HasFlag(GoFunctionFlags.Top))
        {
            return new UnwindRule(CfaKind.EndOfStack, FramePointerKind.Same, 0);
        }

        var name = depths.NameOf(index);
        if (!name.StartsWith("runtime."u8))
        {
            return null;
        }

        return name["runtime.".Length..] switch
        {
            // A signal's frame is on the stack when it is left.
            var rest when rest.StartsWith("sigreturn"u8) => new UnwindRule(CfaKind.SignalFrame, FramePointerKind.Same, 0),

            // The scheduler runs on, no longer on behalf of the goroutine.
            var rest when Is(rest, "mcall"u8) => new UnwindRule(CfaKind.EndOfStack, FramePointerKind.Same, 0),
            var rest when Is(rest, "systemstack"u8) || Is(rest, "asmcgocall"u8) || Is(rest, "cgocallback"u8) || Is(rest, "morestack"u8) =>
                new UnwindRule(CfaKind.OtherStack, FramePointerKind.AtCfa, 16, SavedFramePointer),
            _ when flags.HasFlag(GoFunctionFlags.WritesStackPointer) => default(UnwindRule),
            _ => null,
        };
    }

    /// <summary>Whether it is that name; assembly has a suffix that tells its calling convention.</summary>
    private static bool Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> wanted) =>
        name.StartsWith(wanted) && (name.Length == wanted.Length || name[wanted.Length] == (byte)'.');

    /// <param name="keepsFramePointer">Set for the one function with a frame that saves rbp elsewhere and does not change it.</param>
    private void AddRows(GoCode code, bool keepsFramePointer)
    {
        if (_rows.Count == 0)
        {
            builder.AddRow(code.Start, 0);
        }

        foreach (var (from, depth) in _rows)
        {
            builder.AddRow(from, NumberOf(RuleOf(depth, keepsFramePointer)));
        }
    }

    private static UnwindRule RuleOf(int depth, bool keepsFramePointer)
    {
        if (depth is < 0 or > LargestDepth)
        {
            return default;
        }

        var cfa = UnwindRule.From(CfaKind.StackPointer, depth + ReturnAddressBytes);
        return depth == 0 || keepsFramePointer
            ? cfa
            : cfa with { FramePointerKind = FramePointerKind.AtCfa, FramePointerOffset = SavedFramePointer };
    }

    private ushort NumberOf(UnwindRule rule)
    {
        if (rule != _lastRule || _lastNumber == 0)
        {
            (_lastRule, _lastNumber) = (rule, rules.Intern(rule));
        }

        return _lastNumber;
    }
}
