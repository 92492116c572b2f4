using System.Collections.Concurrent;

namespace ActorProfiler.Telemetry;

/// <summary>What is wrong with this process at the moment. Thread-safe.</summary>
public sealed class Health
{
    private readonly ConcurrentDictionary<string, string> _problems = new(StringComparer.Ordinal);

    /// <summary>One line each, sorted; none when all is well.</summary>
    public IReadOnlyList<string> Problems => [.. _problems.Select(problem => $"{problem.Key}: {problem.Value}").Order(StringComparer.Ordinal)];

    /// <param name="part">What has the problem; one at a time.</param>
    public void Report(string part, string problem) => _problems[part] = problem.ReplaceLineEndings(" ");

    public void Clear(string part) => _problems.TryRemove(part, out _);
}
