namespace ActorProfiler.Collector.Elf.Go;

/// <summary>One function of a Go program: where in <see cref="GoTable"/> things about it are.</summary>
/// <param name="Start">Virtual address.</param>
/// <param name="StartLine">Line of the declaration; 0 before Go 1.20.</param>
/// <param name="Unit">Which compilation unit's file numbers it uses.</param>
/// <param name="InlineTree">Null when nothing is inlined in it.</param>
internal sealed record GoFunction(
    ulong Start, uint Name, int StartLine, uint Files, uint Lines, uint Unit, uint InlineIndex, uint? InlineTree);
