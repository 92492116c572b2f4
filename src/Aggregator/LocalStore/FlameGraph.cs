namespace ActorProfiler.Aggregator.LocalStore;

/// <summary>A function as one box of a flame graph shows it.</summary>
/// <param name="Module">Path of the mapped file, or "" for interpreted code.</param>
/// <param name="File">Source file, or "".</param>
/// <param name="Kind">A constant of <see cref="FrameKind"/>.</param>
internal sealed record FlameFrame(string Name, string Module, string File, string Kind);

/// <summary>CPU time merged by call path.</summary>
/// <remarks>
/// Columns, one entry per node, parents before children and each subtree together (preorder); node 0 is the root.
/// <list type="bullet">
/// <item><see cref="Parents"/>: index of the parent; -1 for the root.</item>
/// <item><see cref="NodeFrames"/>: index in <see cref="Frames"/>.</item>
/// <item><see cref="SelfNanos"/>: CPU nanoseconds in the node itself; <see cref="TotalNanos"/> is their sum.</item>
/// </list>
/// </remarks>
/// <param name="Profiles">How many profiles were merged.</param>
/// <param name="Series">How many label sets they came from.</param>
/// <param name="Unreadable">How many profiles were left out because they could not be read.</param>
/// <param name="FromNanos">Start of the first window, Unix nanoseconds; 0 when there is none.</param>
/// <param name="UntilNanos">End of the last window, Unix nanoseconds.</param>
/// <param name="CutNodes">Nodes that were cut to keep within the node limit.</param>
/// <param name="CutNanos">CPU time that stands under "(other)" because of it.</param>
internal sealed record FlameGraph(
    IReadOnlyList<FlameFrame> Frames, IReadOnlyList<int> Parents, IReadOnlyList<int> NodeFrames, IReadOnlyList<long> SelfNanos,
    long TotalNanos, int Profiles, int Series, int Unreadable, long FromNanos, long UntilNanos, long CutNodes, long CutNanos);
