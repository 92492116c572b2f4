using ActorProfiler.Collector.Symbols.Demangling;

namespace ActorProfiler.Collector.Symbols;

/// <summary>How names are looked up and shown. Defaults are those of <c>pyroscope.ebpf</c>.</summary>
/// <param name="PidCacheSize">Processes kept.</param>
/// <param name="BuildIdCacheSize">Files with a build id kept.</param>
/// <param name="SameFileCacheSize">Files without one kept.</param>
/// <param name="Lines">Whether source lines and inlined calls are read from debug information; it costs memory. Go programs have them always.</param>
/// <param name="GoTableFallback">Whether the symbol tables of a Go program are asked for what its own table does not name: the C code in it. Without, they are not read.</param>
/// <param name="CacheRounds">Rounds in which an unused entry survives in a full cache.</param>
internal sealed record SymbolOptions(
    int PidCacheSize = 32,
    int BuildIdCacheSize = 64,
    int SameFileCacheSize = 8,
    int CacheRounds = 3,
    DemangleMode Demangle = DemangleMode.None,
    bool Lines = false,
    bool GoTableFallback = true)
{
    public static readonly SymbolOptions Default = new();
}
