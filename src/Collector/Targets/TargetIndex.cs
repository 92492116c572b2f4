using System.Collections.Concurrent;
using ActorProfiler.Configuration.Relabeling;
using ActorProfiler.Labels;

namespace ActorProfiler.Collector.Targets;

/// <summary>The targets of one <see cref="TargetList"/> by what they name. Thread-safe.</summary>
internal sealed class TargetIndex
{
    private readonly ConcurrentDictionary<string, Target?> _defaults = new(StringComparer.Ordinal);
    private readonly Dictionary<int, Target> _byPid = [];
    private readonly Dictionary<string, Target> _byContainer = new(StringComparer.Ordinal);
    private readonly TargetList _list;
    private readonly int _sampleRate;

    /// <param name="sampleRate">Of the host, in Hz.</param>
    public TargetIndex(TargetList list, int sampleRate)
    {
        (_list, _sampleRate) = (list, sampleRate);
        foreach (var target in list.Targets.Select(Make).OfType<Target>().OrderBy(target => target.Labels.ToString(), StringComparer.Ordinal))
        {
            // Of several targets with one key the one with the smallest labels wins: the same one after every refresh.
            var isFirst = target.Pid > 0 ? _byPid.TryAdd(target.Pid, target) : _byContainer.TryAdd(target.ContainerId, target);
            Count += isFirst ? 1 : 0;
        }
    }

    public TargetList List => _list;

    public int Count { get; }

    /// <summary>By pid alone; null when no target names it.</summary>
    public Target? Find(int pid) => _byPid.GetValueOrDefault(pid);

    /// <summary>By pid, then by container, then the default of the block; null when it has none.</summary>
    public Target? Find(int pid, TargetTable.ProcessFacts facts) =>
        Find(pid) ?? (facts.ContainerId.Length > 0 ? _byContainer.GetValueOrDefault(facts.ContainerId) : null)
        ?? (_list.ProfilesUnmatched ? _defaults.GetOrAdd(facts.DefaultName, MakeDefault) : null);

    /// <summary>The target that discovered labels make; null when they name neither a process nor a container, or a rule drops it.</summary>
    private Target? Make(LabelSet discovered) =>
        Target.From(discovered) is { } target ? Relabeled(target with { Options = TargetOptions.From(discovered, _sampleRate, _list.Defaults) }) : null;

    private Target? MakeDefault(string name)
    {
        var target = Target.Default(name);
        return Relabeled(target with { Labels = target.Labels.With(_list.DefaultLabels), Options = TargetOptions.From(LabelSet.Empty, _sampleRate, _list.Defaults) });
    }

    /// <summary>
    /// Rules can use the labels of process and container. After them they go: processes with the same labels are one series, and a server
    /// that keeps no such labels takes only one profile of a series and time.
    /// </summary>
    private Target? Relabeled(Target target)
    {
        if (Relabeler.Apply(_list.Rules, target.Labels)?.Where(LabelNames.IsOfSeries) is not { Count: > 0 } labels)
        {
            return null;
        }

        return target with { Labels = _list.Origin.Length > 0 ? labels.With(LabelNames.Origin, _list.Origin) : labels };
    }
}
