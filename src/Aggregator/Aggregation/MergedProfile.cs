namespace ActorProfiler.Aggregator.Aggregation;

/// <summary>What a window has collected of one series, in interned tables.</summary>
/// <remarks>
/// Indexes start at 0; <c>Strings[0]</c> is "". A function of a line and a location of a stack are indexes into their tables.
/// </remarks>
/// <param name="StartUnixNanos">Earliest start of its batches.</param>
/// <param name="DurationNanos">From there to the latest end.</param>
/// <param name="PeriodNanos">Shortest sampling period of its batches.</param>
/// <param name="Ticks">Ticks of its batches, for the loss ledger.</param>
internal sealed record MergedProfile(
    long StartUnixNanos,
    long DurationNanos,
    long PeriodNanos,
    long Ticks,
    IReadOnlyList<string> Strings,
    IReadOnlyList<MergedModule> Modules,
    IReadOnlyList<MergedFunction> Functions,
    IReadOnlyList<MergedLocation> Locations,
    IReadOnlyList<MergedSample> Samples);

/// <summary>As <see cref="Protocol.Module"/>.</summary>
internal readonly record struct MergedModule(int File, int BuildId, ulong Start, ulong Limit, ulong Offset);

/// <summary>As <see cref="Protocol.Function"/>.</summary>
internal readonly record struct MergedFunction(int Name, int SystemName, int File, uint StartLine);

/// <summary>As <see cref="Protocol.Location"/>; <paramref name="Module"/> is -1 for none.</summary>
internal sealed record MergedLocation(int Module, ulong Address, MergedLine[] Lines);

internal readonly record struct MergedLine(int Function, uint Line);

/// <param name="Stack">Indexes of locations, innermost first.</param>
/// <param name="Nanos">CPU time: Σ ticks × weight × period.</param>
/// <param name="Ticks">Σ ticks.</param>
internal sealed record MergedSample(int[] Stack, long Nanos, long Ticks);
