using ActorProfiler.Collector.Processes;

namespace ActorProfiler.Collector.Interpreters.Jit;

/// <summary>
/// A runtime that can be asked, while it runs, to write the names of its compiled code to <c>/tmp/perf-PID.map</c>.
/// To add one: implement this, add a line to <see cref="JitRuntimes"/>.
/// </summary>
internal interface IJitRuntime
{
    /// <summary>Of the argument that disables it, of metrics and logs.</summary>
    string Name { get; }

    /// <summary>True when the file must be asked for again to show code compiled later.</summary>
    bool IsSnapshot { get; }

    bool IsIn(ProcessImage image);

    /// <summary>Whether the process has its names written already, by its own start or because somebody asked.</summary>
    /// <exception cref="IOException">The process is gone.</exception>
    bool IsOn(ProcessImage image);

    /// <summary>Asks for names, or for new ones. Failures of the world (no socket, a refusal, a silent process) come as a reason.</summary>
    /// <returns>"" when the process agreed; else why not, in snake case: a counter's label.</returns>
    Task<string> EnableAsync(ProcessImage image, CancellationToken cancellation);

    /// <summary>Undoes <see cref="EnableAsync"/> in a process that runs, but for <see cref="FilesOf"/>.</summary>
    Task DisableAsync(ProcessImage image, CancellationToken cancellation);

    /// <summary>The files that the process writes into its <c>/tmp</c> when it was asked.</summary>
    IReadOnlyList<string> FilesOf(ProcessImage image);
}

/// <summary>The runtimes known.</summary>
internal static class JitRuntimes
{
    public static readonly IReadOnlyList<IJitRuntime> All = [new DotNetRuntime(), new JvmRuntime()];

    /// <param name="names">Of those left out.</param>
    public static IReadOnlyList<IJitRuntime> Without(IReadOnlyList<string> names) => [.. All.Where(runtime => !names.Contains(runtime.Name))];
}
