using System.Runtime.CompilerServices;

namespace ActorProfiler.Collector.Elf;

/// <summary>A mapped file, the kernel, or JIT-compiled code: what a pprof mapping is made of.</summary>
/// <remarks>
/// One object per file, shared by all processes that map it, so reference equality is identity.
/// Addresses are the file's own virtual addresses (ELF vaddr), not those of one process.
/// </remarks>
/// <param name="File">Path in its own mount namespace, or <c>[kernel.kallsyms]</c>, <c>[vdso]</c>, <c>[jit]</c>.</param>
/// <param name="BuildId">GNU build id in lower-case hex, else Go's build id as it is; "" when there is none.</param>
/// <param name="Start">First virtual address of the executable segment.</param>
/// <param name="Limit">End of it, exclusive.</param>
/// <param name="Offset">Offset in the file of <paramref name="Start"/>.</param>
public sealed record Module(string File, string BuildId, ulong Start, ulong Limit, ulong Offset)
{
    public bool Equals(Module? other) => ReferenceEquals(this, other);

    public override int GetHashCode() => RuntimeHelpers.GetHashCode(this);
}
