using System.Collections.Immutable;

namespace ActorProfiler.Collector.Interpreters;

/// <summary>What a <see cref="CodeValue"/> starts from.</summary>
internal enum CodeOrigin
{
    Unknown,

    /// <summary>A number; of what is loaded from it, the address in the file.</summary>
    Constant,

    /// <summary>The thread register.</summary>
    Thread,

    /// <summary>The thread register and the number that the word at <see cref="CodeValue.Address"/> holds in the process.</summary>
    ThreadAt,

    /// <summary>The thread-local variable that <c>__tls_get_addr</c> finds by the pair of words at <see cref="CodeValue.Address"/>.</summary>
    Variable,

    /// <summary>The thread-local variable of the TLS descriptor at <see cref="CodeValue.Address"/>; before the thread register is added, its offset.</summary>
    Descriptor,
}

/// <summary>What a register holds at some point of a function: origin, then a word loaded at each of <paramref name="Loads"/> from it in turn, then <paramref name="Offset"/> bytes further.</summary>
/// <param name="Loads">Offsets, outermost first.</param>
internal readonly record struct CodeValue(CodeOrigin Origin, ulong Address, ImmutableArray<long> Loads, long Offset)
{
    private const int MostLoads = 4;

    // The thread control block points at itself: tcb and self of glibc's tcbhead_t, self of musl's struct pthread.
    private const long Self = 0;
    private const long GlibcSelf = 16;

    public static readonly CodeValue Unknown = new(CodeOrigin.Unknown, 0, [], 0);
    public static readonly CodeValue Thread = new(CodeOrigin.Thread, 0, [], 0);

    /// <summary>The number, where nothing was loaded.</summary>
    public ulong? Number => Origin == CodeOrigin.Constant && Loads.IsEmpty ? (ulong)Offset : null;

    public static CodeValue Constant(ulong number) => new(CodeOrigin.Constant, 0, [], (long)number);

    public static CodeValue Of(CodeOrigin origin, ulong address) => new(origin, address, [], 0);

    /// <summary>The word at this address.</summary>
    public CodeValue Load() =>
        Origin == CodeOrigin.Unknown || Loads.Length >= MostLoads ? Unknown
        : Origin == CodeOrigin.Thread && Loads.IsEmpty && Offset is Self or GlibcSelf ? Thread
        : this with { Loads = Loads.Add(Offset), Offset = 0 };

    /// <summary>The address that a segment register of the thread adds to this.</summary>
    public CodeValue InThread() => this switch
    {
        { Number: { } offset } => Thread + (long)offset,
        { Origin: CodeOrigin.Constant, Loads: [var at], Offset: var offset } => Of(CodeOrigin.ThreadAt, (ulong)at) + offset,
        { Origin: CodeOrigin.Descriptor, Loads.IsEmpty: true } => this,
        _ => Unknown,
    };

    public static CodeValue operator +(CodeValue value, long offset) =>
        value.Origin == CodeOrigin.Unknown ? Unknown : value with { Offset = unchecked(value.Offset + offset) };

    public static CodeValue operator +(CodeValue left, CodeValue right) => (left, right) switch
    {
        ({ Number: { } number }, _) => right + (long)number,
        (_, { Number: { } number }) => left + (long)number,
        ({ Origin: CodeOrigin.Thread, Loads.IsEmpty: true, Offset: 0 }, _) => right.InThread(),
        (_, { Origin: CodeOrigin.Thread, Loads.IsEmpty: true, Offset: 0 }) => left.InThread(),
        _ => Unknown,
    };
}
