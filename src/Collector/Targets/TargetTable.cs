using System.Collections.Concurrent;
using System.Collections.Immutable;
using ActorProfiler.Collector.Processes;
using ActorProfiler.Collector.Sampling;
using ActorProfiler.Configuration.Relabeling;
using ActorProfiler.Labels;

namespace ActorProfiler.Collector.Targets;

/// <summary>Matches processes to targets: by pid, then by container, then by the default.</summary>
/// <remarks>
/// Thread-safe: the sampling thread asks when it meets a process, the stacks stage when an interval ends. What a process is is read from
/// <c>/proc</c> once, at the first question, so that its last samples still find their target when it is gone.
/// </remarks>
internal sealed class TargetTable : IProcessPolicy
{
    private readonly ConcurrentDictionary<ProcessIdentity, ProcessFacts> _facts = new();
    private volatile Index _targets = new(TargetList.Empty, SamplingOptions.DefaultRate);

    /// <summary>What is asked about a process, read while it lives.</summary>
    internal sealed record ProcessFacts(string ContainerId, string DefaultName);

    private sealed class Index
    {
        private readonly TargetList _list;
        private readonly int _sampleRate;
        private readonly ConcurrentDictionary<string, Target?> _defaults = new(StringComparer.Ordinal);

        public Index(TargetList list, int sampleRate)
        {
            (_list, _sampleRate) = (list, sampleRate);
            var targets = list.Targets.Select(labels => Make(labels, sampleRate, list.Rules)).OfType<Target>().ToList();
            ByPid = Of(targets, target => target.Pid, target => target.Pid > 0);
            ByContainer = Of(targets, target => target.ContainerId, target => target.ContainerId.Length > 0);
        }

        public Dictionary<int, Target> ByPid { get; }

        public Dictionary<string, Target> ByContainer { get; }

        public int SampleRate => _sampleRate;

        public TargetList List => _list;

        public Target? Default(string name) => _list.ProfilesUnmatched ? _defaults.GetOrAdd(name, MakeDefault) : null;

        private Target? MakeDefault(string name)
        {
            var target = Target.Default(name);
            return Relabeled(target with { Labels = target.Labels.With(_list.DefaultLabels) }, _list.Rules);
        }

        // Of several targets with one key the one with the smallest labels wins: the same one after every refresh.
        private static Dictionary<TKey, Target> Of<TKey>(IEnumerable<Target> targets, Func<Target, TKey> key, Func<Target, bool> counts)
            where TKey : notnull =>
            targets.Where(counts).GroupBy(key)
                .ToDictionary(group => group.Key, group => group.OrderBy(target => target.Labels.ToString(), StringComparer.Ordinal).First());
    }

    public int Count => _targets.ByPid.Count + _targets.ByContainer.Count;

    /// <summary>Takes over the targets that discovery found now.</summary>
    public void Replace(TargetList targets) => _targets = new Index(targets, _targets.SampleRate);

    /// <summary>The host's rate has changed: targets with one of their own keep other parts of it.</summary>
    public void SetSampleRate(int sampleRate) => _targets = new Index(_targets.List, sampleRate);

    /// <summary>The target that discovered labels make; null when they name neither a process nor a container, or a rule drops it.</summary>
    public static Target? Make(LabelSet discovered, int sampleRate, ImmutableArray<RelabelRule> rules)
    {
        if (Target.From(discovered) is not { } target)
        {
            return null;
        }

        var options = TargetOptions.From(discovered, sampleRate);
        return Relabeled(target with { Options = options }, rules);
    }

    /// <summary>A line for each process and container that several targets name: which of them counts.</summary>
    public static IEnumerable<string> Duplicates(ImmutableArray<LabelSet> discovered) =>
        from labels in discovered
        let target = Target.From(labels)
        where target is not null
        group target by (target.Pid, target.ContainerId) into same
        let different = same.Select(target => target.Labels).Distinct().OrderBy(series => series.ToString(), StringComparer.Ordinal).ToList()
        where different.Count > 1
        select $"{different.Count} targets name {(same.Key.Pid > 0 ? $"process {same.Key.Pid}" : $"container {same.Key.ContainerId}")}; it is profiled as {different[0]}";

    public ProcessDecision Decide(KnownProcess process) =>
        Match(process) is { } target ? new ProcessDecision(IsProfiled: true, target.Options.KeepOneIn, target.Options.Flags, target.Options.Python) : ProcessDecision.Ignored;

    /// <summary>The target of a process, or null.</summary>
    public Target? Match(KnownProcess process)
    {
        return _targets.ByPid.TryGetValue(process.Identity.Pid, out var byPid)
            ? byPid
            : Match(process.Identity.Pid, _facts.GetOrAdd(process.Identity, static (_, known) => Read(known.Identity.Pid, known.Comm), process));
    }

    /// <summary>The target of a process of which all is known, or null.</summary>
    internal Target? Match(int pid, ProcessFacts facts)
    {
        var targets = _targets;
        if (targets.ByPid.TryGetValue(pid, out var byPid))
        {
            return byPid;
        }

        return facts.ContainerId.Length > 0 && targets.ByContainer.TryGetValue(facts.ContainerId, out var byContainer) ? byContainer : targets.Default(facts.DefaultName);
    }

    public void Forget(ProcessIdentity process) => _facts.TryRemove(process, out _);

    /// <summary>What a process is called when no target names it.</summary>
    internal static ProcessFacts Read(int pid, string comm)
    {
        const int ShortId = 12;
        var cgroups = ProcFiles.Cgroup(pid) ?? "";
        var container = ContainerId.Find(cgroups);
        var name = SystemdUnit.Find(cgroups) is { Length: > 0 } unit ? unit
            : container.Length > 0 ? container[..ShortId]
            : ProcFiles.Executable(pid) is { } path ? Path.GetFileName(path).Replace(" (deleted)", "", StringComparison.Ordinal)
            : comm;
        return new ProcessFacts(container, name.Length > 0 ? name : comm);
    }

    /// <summary>
    /// Rules can use the labels of process and container. After them they go: processes with the same labels are one series, and a server
    /// that keeps no such labels takes only one profile of a series and time.
    /// </summary>
    private static Target? Relabeled(Target target, ImmutableArray<RelabelRule> rules) =>
        Relabeler.Apply(rules, target.Labels)?.Where(LabelNames.IsOfSeries) is { Count: > 0 } labels ? target with { Labels = labels } : null;
}
