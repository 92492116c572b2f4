namespace ActorProfiler.Collector.Sampling;

/// <summary>
/// How long a process's mappings are left alone after they were read again. A JIT maps memory all the time, and reading its hundreds of
/// mappings is the dearest thing the collector does: the pause doubles with each reading and starts anew after a quiet time.
/// </summary>
internal sealed class RereadPause
{
    /// <summary>A program has mapped its libraries a few milliseconds after its first tick.</summary>
    public static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(5);

    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan _quiet = TimeSpan.FromSeconds(60);

    private long _last;

    public TimeSpan Pause { get; private set; } = Shortest;

    /// <summary>Notes that the mappings are read again now.</summary>
    public void Take(TimeProvider time)
    {
        var isQuiet = time.GetElapsedTime(_last) > _quiet;
        _last = time.GetTimestamp();
        Pause = isQuiet ? Shortest : Pause * 2 < Longest ? Pause * 2 : Longest;
    }
}
