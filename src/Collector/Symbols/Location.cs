using System.Collections.Immutable;

namespace ActorProfiler.Collector.Symbols;

/// <summary>A mapped file, the kernel, or JIT-compiled code: what a pprof mapping is made of.</summary>
/// <remarks>
/// One object per file, shared by all processes that map it, so reference equality is identity.
/// Addresses are the file's own virtual addresses (ELF vaddr), not those of one process.
/// </remarks>
/// <param name="File">Path in its own mount namespace, or <c>[kernel.kallsyms]</c>, <c>[vdso]</c>, <c>[jit]</c>.</param>
/// <param name="BuildId">GNU build id (or Go build id) in lower-case hex; "" when there is none.</param>
/// <param name="Start">First virtual address of the executable segment.</param>
/// <param name="Limit">End of it, exclusive.</param>
/// <param name="Offset">Offset in the file of <paramref name="Start"/>.</param>
public sealed record Module(string File, string BuildId, ulong Start, ulong Limit, ulong Offset)
{
    public bool Equals(Module? other) => ReferenceEquals(this, other);

    public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);
}

/// <param name="Name">As shown: demangled by the configured mode.</param>
/// <param name="SystemName">As in the symbol table.</param>
/// <param name="File">Source file, or "".</param>
/// <param name="StartLine">0 when unknown.</param>
public sealed record Function(string Name, string SystemName, string File = "", int StartLine = 0);

/// <param name="Number">Line in the function's file; 0 when unknown.</param>
public readonly record struct Line(Function Function, int Number);

/// <summary>One frame of a stack, symbolized.</summary>
/// <remarks>
/// One object per symbol (or per line where lines are known), cached by its module: batches intern locations by reference.
/// </remarks>
/// <param name="Module">Null for interpreted code.</param>
/// <param name="Address">In <paramref name="Module"/>'s address space. Where only the function is known, its first address.</param>
/// <param name="Lines">Inlined callee before its caller. Never empty: unknown code is named <c>module+0xoffset</c>.</param>
/// <param name="IsSymbolized">False when the name is only <c>module+0xoffset</c> or the like.</param>
public sealed record Location(Module? Module, ulong Address, ImmutableArray<Line> Lines, bool IsSymbolized)
{
    public bool Equals(Location? other) => ReferenceEquals(this, other);

    public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);
}
