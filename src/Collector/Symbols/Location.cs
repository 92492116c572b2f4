using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using ActorProfiler.Collector.Elf;

namespace ActorProfiler.Collector.Symbols;

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

    public override int GetHashCode() => RuntimeHelpers.GetHashCode(this);
}
