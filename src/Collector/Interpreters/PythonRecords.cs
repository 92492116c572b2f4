using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace ActorProfiler.Collector.Interpreters;

/// <summary><c>struct python_code</c> in bpf/python.h: which function of which process.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct PythonCode(ulong Code, uint Pid, uint FirstLine);

[InlineArray(128)]
internal struct PythonNameBytes
{
    private byte _first;
}

[InlineArray(256)]
internal struct PythonFileBytes
{
    private byte _first;
}

/// <summary><c>struct python_name</c> in bpf/python.h: two <c>str</c> objects as they are in memory, cut to what there is room for.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PythonName
{
    public uint NameState;
    public uint NameLength;
    public uint FileState;
    public uint FileLength;
    public PythonNameBytes Name;
    public PythonFileBytes File;

    /// <summary>The function's qualified name (3.11 and later) or name.</summary>
    public readonly string NameText(uint asciiBit) => Decode(Name, NameState, NameLength, asciiBit);

    public readonly string FileText(uint asciiBit) => Decode(File, FileState, FileLength, asciiBit);

    /// <summary>Decodes PEP 393 text: ASCII, Latin-1, UCS-2 or UCS-4 by its kind.</summary>
    private static string Decode(ReadOnlySpan<byte> bytes, uint state, uint length, uint asciiBit)
    {
        var kind = (state & asciiBit) != 0 ? 1 : (int)(state / (asciiBit >> 4)) & 7;
        Encoding encoding = kind switch { 2 => Encoding.Unicode, 4 => Encoding.UTF32, _ => Encoding.Latin1 };
        var held = (int)Math.Min((ulong)length * (uint)Math.Max(kind, 1), (uint)(bytes.Length - 1)) / Math.Max(kind, 1) * Math.Max(kind, 1);
        return encoding.GetString(bytes[..held]);
    }
}

/// <summary>A Python function.</summary>
/// <param name="Name">Qualified from 3.11 on.</param>
/// <param name="File">As the interpreter was given it.</param>
internal sealed record PythonFunction(string Name, string File, int FirstLine);

/// <summary>One interpreted frame of a stack, innermost first.</summary>
/// <param name="Function">Null for the extra frame that only marks an entry, and where the name could not be read.</param>
/// <param name="IsEntry">With it the interpreter's loop was entered: the native frames of that call belong below it.</param>
internal readonly record struct PythonFrame(PythonFunction? Function, bool IsEntry, bool IsShim);
