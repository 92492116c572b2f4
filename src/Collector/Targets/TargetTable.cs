using System.Collections.Concurrent;
using ActorProfiler.Collector.Processes;
using ActorProfiler.Collector.Sampling;

namespace ActorProfiler.Collector.Targets;

/// <summary>Matches processes to targets: by pid, then by container, then by the default.</summary>
/// <remarks>
/// Thread-safe: the sampling thread asks when it meets a process, the stacks stage when an interval ends. What a process is is read from
/// <c>/proc</c> once, at the first question, so that its last samples still find their target when it is gone.
/// </remarks>
/// <param name="profileUnmatched">Gives a process that no target names one of its own: by its unit, container or executable.</param>
internal sealed class TargetTable(bool profileUnmatched) : IProcessPolicy
{
    private readonly ConcurrentDictionary<ProcessIdentity, ProcessFacts> _facts = new();
    private readonly ConcurrentDictionary<string, Target> _defaults = new(StringComparer.Ordinal);
    private volatile Index _targets = new([]);

    /// <summary>What is asked about a process, read while it lives.</summary>
    private sealed record ProcessFacts(string ContainerId, string DefaultName);

    private sealed record Index(IReadOnlyList<Target> Targets)
    {
        public Dictionary<int, Target> ByPid { get; } = Of(Targets, target => target.Pid, target => target.Pid > 0);

        public Dictionary<string, Target> ByContainer { get; } = Of(Targets, target => target.ContainerId, target => target.ContainerId.Length > 0);

        // Of several targets with one key the one with the smallest labels wins: the same one after every refresh.
        private static Dictionary<TKey, Target> Of<TKey>(IEnumerable<Target> targets, Func<Target, TKey> key, Func<Target, bool> counts)
            where TKey : notnull =>
            targets.Where(counts).GroupBy(key)
                .ToDictionary(group => group.Key, group => group.OrderBy(target => target.Labels.ToString(), StringComparer.Ordinal).First());
    }

    public int Count => _targets.Targets.Count;

    /// <summary>Takes over the targets that discovery found now.</summary>
    public void Replace(IReadOnlyList<Target> targets) => _targets = new Index(targets);

    public ProcessDecision Decide(KnownProcess process) =>
        Match(process) is null ? ProcessDecision.Ignored : new ProcessDecision(IsProfiled: true);

    /// <summary>The target of a process, or null.</summary>
    public Target? Match(KnownProcess process)
    {
        var targets = _targets;
        if (targets.ByPid.TryGetValue(process.Identity.Pid, out var byPid))
        {
            return byPid;
        }

        var facts = _facts.GetOrAdd(process.Identity, static (_, known) => Read(known), process);
        if (facts.ContainerId.Length > 0 && targets.ByContainer.TryGetValue(facts.ContainerId, out var byContainer))
        {
            return byContainer;
        }

        return profileUnmatched ? _defaults.GetOrAdd(facts.DefaultName, Target.Default) : null;
    }

    public void Forget(ProcessIdentity process) => _facts.TryRemove(process, out _);

    private static ProcessFacts Read(KnownProcess process)
    {
        const int ShortId = 12;
        var pid = process.Identity.Pid;
        var cgroups = ProcFiles.Cgroup(pid) ?? "";
        var container = ContainerId.Find(cgroups);
        var name = SystemdUnit.Find(cgroups) is { Length: > 0 } unit ? unit
            : container.Length > 0 ? container[..ShortId]
            : ProcFiles.Executable(pid) is { } path ? Path.GetFileName(path).Replace(" (deleted)", "", StringComparison.Ordinal)
            : process.Comm;
        return new ProcessFacts(container, name.Length > 0 ? name : process.Comm);
    }
}
