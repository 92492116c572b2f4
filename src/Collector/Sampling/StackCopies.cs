namespace ActorProfiler.Collector.Sampling;

/// <summary>Copied stacks on their way: each is walked when its process has been read.</summary>
/// <remarks>Not thread-safe.</remarks>
internal sealed class StackCopies(ProcessTable processes, UnwindTableStore tables, StackTable stacks)
{
    /// <summary>Bounds memory, with what one buffer holds: some 70 MB.</summary>
    private const int MostWaiting = 3072;

    private List<StackCopy> _waiting = [];

    /// <summary>Takes one record of the ring buffer.</summary>
    /// <exception cref="FormatException">The record is malformed.</exception>
    public void Add(ReadOnlySpan<byte> bytes) => _waiting.Add(StackCopy.Parse(bytes));

    /// <summary>Whether more should be taken. What stays in the buffer keeps further ticks out of it, and those are walked by frame pointers.</summary>
    public bool HasRoom => _waiting.Count < MostWaiting;

    /// <summary>Walks what is waiting and hands it to the stack table.</summary>
    public void Walk()
    {
        while (_waiting.Count > 0)
        {
            // Compiling a table takes a while, in which more of them come.
            var taken = _waiting;
            _waiting = [];
            foreach (var ofProcess in taken.GroupBy(copy => processes.Of(copy)))
            {
                Walk(ofProcess.Key, ofProcess);
            }
        }
    }

    private void Walk(KnownProcess process, IEnumerable<StackCopy> copies)
    {
        var rows = process.Image is { } image ? tables.RowsOf(image) : [];
        var isUserWanted = processes.CollectsUser(process);
        foreach (var copy in copies)
        {
            var (frames, ending) = isUserWanted
                ? new StackWalker(copy, address => tables.Executables.FindRule(rows, address)).Walk() : ([], WalkEnding.None);
            stacks.Add(process, copy.Record, [.. frames, .. copy.Kernel], isUserWanted ? copy.Python : [], ending);
        }
    }
}
