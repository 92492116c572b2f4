using System.Buffers.Binary;
using ActorProfiler.Collector.Elf;
using ActorProfiler.Collector.Interpreters;

namespace ActorProfiler.Collector.Symbols;

/// <summary>
/// The rest of a function that the compiler split, in a file whose symbols for it are stripped: GCC moves what it believes to be cold, which in CPython 3.14 and later
/// is nearly all of the interpreter's loop.
/// </summary>
/// <remarks>
/// A part is told by the function's conditional jumps (<c>0f 8x rel32</c>) into the middle of what the unwind information lists as another function: calls and calls
/// in tail position go to a first instruction. x86-64 only.
/// </remarks>
internal static class FunctionParts
{
    private const int CodeBytes = 1 << 20;
    private const int JumpLength = 6;

    /// <summary>By the first address of a part, its name: that of the function with <c>.cold</c> behind it.</summary>
    /// <returns>Empty for a file without such functions. Only those are looked for that stacks cannot be understood without.</returns>
    /// <exception cref="FormatException">A table is malformed.</exception>
    public static Dictionary<ulong, string> Read(ElfFile file, FrameStarts starts)
    {
        var parts = new Dictionary<ulong, string>();
        if (file.Machine == ElfMachine.X64 && DynamicSymbols.FindAddress(file, PythonRuntime.Loop) is { } function
            && starts.LengthAt(function) is { } length and <= CodeBytes && file.OffsetOf(function) is { } offset)
        {
            Add(parts, file.Source.ReadRange(offset, length, CodeBytes, PythonRuntime.Loop), function, starts);
        }

        return parts;
    }

    private static void Add(Dictionary<ulong, string> parts, ReadOnlySpan<byte> code, ulong function, FrameStarts starts)
    {
        for (var at = 0; at + JumpLength <= code.Length; at++)
        {
            if (code[at] != 0x0f || (code[at + 1] & 0xf0) != 0x80)
            {
                continue;
            }

            var distance = BinaryPrimitives.ReadInt32LittleEndian(code[(at + 2)..]);
            var target = unchecked(function + (ulong)(at + JumpLength) + (ulong)distance);
            if (starts.Find(target) is { } start && start != target && start != function)
            {
                parts[start] = PythonRuntime.Loop + ".cold";
            }
        }
    }
}
