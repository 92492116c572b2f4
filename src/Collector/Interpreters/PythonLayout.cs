using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace ActorProfiler.Collector.Interpreters;

/// <summary>How interpreted frames and calls of the interpreter's loop belong together (<c>enum python_entry</c> in bpf/python.h).</summary>
internal enum PythonEntry : uint
{
    /// <summary>3.10 and before: each frame is one call of the loop.</summary>
    EveryFrame,

    /// <summary>3.11: a flag marks the frame with which the loop was entered.</summary>
    Flag,

    /// <summary>3.12 and later: an extra frame stands below the one with which the loop was entered.</summary>
    Shim,
}

/// <summary>Where things are in the memory of one CPython version: <c>struct python</c> in bpf/python.h. Offsets in bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct PythonLayout(
    ulong Interpreters,
    ulong Attached,
    ulong StateAddress,
    PythonStateKind StateKind,
    uint StateFurther,
    uint Keys,
    uint EntrySize,
    uint ThreadPrevious,
    uint ThreadInterpreter,
    uint InterpreterNext,
    uint InterpreterThreads,
    uint ThreadNext,
    uint ThreadId,
    uint ThreadFrame,
    uint CFrameFrame,
    uint FrameCode,
    uint FramePrevious,
    uint FrameEntry,
    PythonEntry Entry,
    uint CodeFile,
    uint CodeName,
    uint CodeFirstLine,
    uint TextState,
    uint TextLength,
    uint TextAscii,
    uint TextCompact,
    uint AsciiBit)
{
    /// <summary>Of <see cref="CFrameFrame"/>: the thread points at its frame without a step between.</summary>
    public const uint Absent = uint.MaxValue;

    // struct PyASCIIObject up to 3.11, with the wstr field that 3.12 took out. Include/cpython/unicodeobject.h.
    private static readonly PythonLayout _oldText = new() { TextState = 32, TextLength = 16, TextAscii = 48, TextCompact = 72, AsciiBit = 1 << 6 };

    /// <summary>The text part of 3.12 and later, in a build with the interpreter's lock.</summary>
    public static readonly PythonLayout NewText = TextBehind(objectHead: 16, hasWideInterned: false);

    /// <summary>Versions that do not describe themselves, measured on the debug information of their builds: by minor version.</summary>
    /// <remarks><see cref="Interpreters"/> is the offset of the list's head in <c>_PyRuntime</c> here, and so is <see cref="Attached"/>, of <c>gilstate.tstate_current</c>.</remarks>
    public static readonly ImmutableDictionary<int, PythonLayout> Known = new Dictionary<int, PythonLayout>
    {
        [8] = Before311(attached: 1368),
        [9] = Before311(attached: 568),
        [10] = Before311(attached: 568),
        [11] = _oldText with
        {
            Interpreters = 40,
            Attached = 576,
            ThreadInterpreter = 16,
            InterpreterThreads = 16,
            ThreadNext = 8,
            ThreadId = 152,
            ThreadFrame = 56,
            CFrameFrame = 8,
            FrameCode = 32,
            FramePrevious = 48,
            FrameEntry = 68,
            Entry = PythonEntry.Flag,
            CodeFile = 112,
            CodeName = 128,
            CodeFirstLine = 72,
        },
        [12] = NewText with
        {
            Interpreters = 40,
            ThreadInterpreter = 16,
            InterpreterThreads = 72,
            ThreadNext = 8,
            ThreadId = 136,
            ThreadFrame = 56,
            CFrameFrame = 0,
            FrameCode = 0,
            FramePrevious = 8,
            FrameEntry = 70,
            Entry = PythonEntry.Shim,
            CodeFile = 112,
            CodeName = 128,
            CodeFirstLine = 68,
        },
    }.ToImmutableDictionary();

    /// <summary>The layout of a process.</summary>
    /// <param name="runtime">Address of <c>_PyRuntime</c> in the file.</param>
    /// <param name="bias">What addresses of the file are greater by in the process.</param>
    public PythonLayout In(ulong runtime, ulong bias) => unchecked(this with
    {
        Interpreters = runtime + bias + Interpreters,
        Attached = Attached == 0 ? 0 : runtime + bias + Attached,
        StateAddress = StateKind is PythonStateKind.None or PythonStateKind.Offset ? StateAddress : StateAddress + bias,
    });

    /// <summary>The text part of 3.12 and later.</summary>
    /// <param name="objectHead">Bytes of what every object begins with.</param>
    /// <param name="hasWideInterned">The bits before the kind of characters are a byte: from 3.14 on in builds without the interpreter's lock.</param>
    public static PythonLayout TextBehind(uint objectHead, bool hasWideInterned) => new()
    {
        TextLength = objectHead,
        TextState = objectHead + 16,
        TextAscii = objectHead + 24,
        TextCompact = objectHead + 40,
        AsciiBit = hasWideInterned ? 1u << 12 : 1u << 6,
    };

    private static PythonLayout Before311(ulong attached) => _oldText with
    {
        Interpreters = 32,
        Attached = attached,
        ThreadInterpreter = 16,
        InterpreterThreads = 8,
        ThreadNext = 8,
        ThreadId = 176,
        ThreadFrame = 24,
        CFrameFrame = Absent,
        FrameCode = 32,
        FramePrevious = 24,
        FrameEntry = 0,
        Entry = PythonEntry.EveryFrame,
        CodeFile = 104,
        CodeName = 112,
        CodeFirstLine = 40,
    };
}
