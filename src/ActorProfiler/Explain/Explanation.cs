using System.Collections.Immutable;
using System.Globalization;
using ActorProfiler.Collector.Processes;
using ActorProfiler.Collector.Targets;
using ActorProfiler.Collector.Targets.Discovery;
using ActorProfiler.Commands.Components;
using ActorProfiler.Commands.Configuration;
using ActorProfiler.Configuration.Components;
using ActorProfiler.Configuration.Decoding;
using ActorProfiler.Configuration.Evaluation;
using ActorProfiler.Configuration.Relabeling;
using ActorProfiler.Labels;

namespace ActorProfiler.Commands.Explain;

/// <summary>The way of one process through a configuration, line by line: process, discovered labels, rules, target, destinations.</summary>
internal static class Explanation
{
    public static IEnumerable<string> Of(int pid, LoadedConfiguration loaded)
    {
        var facts = TargetTable.Read(pid, ProcFiles.Comm(pid) ?? "");
        yield return $"process {pid}: {ProcFiles.Executable(pid) ?? "its program cannot be read"}";
        yield return facts.ContainerId.Length > 0 ? $"  in container {facts.ContainerId}" : "  in no container: no line of /proc/PID/cgroup holds a container id";
        if (loaded.Plan.Ebpf is null)
        {
            yield return "not profiled: the configuration has no pyroscope.ebpf block";
            yield break;
        }

        foreach (var line in Discovered(pid, facts.ContainerId, loaded.Values))
        {
            yield return line;
        }

        foreach (var line in loaded.Plan.Targets.SelectMany(block => Profiled(pid, facts, block, loaded.Plan)))
        {
            yield return line;
        }
    }

    /// <summary>What one <c>pyroscope.ebpf</c> block makes of the process.</summary>
    private static IEnumerable<string> Profiled(int pid, TargetTable.ProcessFacts facts, TargetList block, RunPlan plan)
    {
        var rate = plan.Ebpf!.SampleRate;
        var (target, why) = Match(pid, facts, block, rate);
        yield return block.Origin.Length > 0 ? $"pyroscope.ebpf.{block.Origin}: {why}" : why;
        foreach (var line in RulesOnHost(pid, facts, block))
        {
            yield return line;
        }

        if (target is null)
        {
            yield break;
        }

        var series = target.Labels.Where(name => name != LabelNames.Origin);
        yield return $"series {series}";
        yield return $"  {rate} Hz per CPU{(target.Options.KeepOneIn > 1 ? $", one tick in {target.Options.KeepOneIn} kept" : "")}{(target.Options.Flags != 0 ? $", {target.Options.Flags}" : "")}";
        foreach (var destination in plan.Destinations)
        {
            if (Routing.RulesTo(destination, target.Labels) is { } rules)
            {
                yield return $"to {destination.Name}{(Relabeler.Apply(rules, series) is { Count: > 0 } ? "" : ": left out")}";
                foreach (var line in rules.IsEmpty ? [] : Rules(rules, series))
                {
                    yield return line;
                }
            }
        }
    }

    /// <summary>What the rules of <c>pyroscope.relabel</c> that stand right after the block do to the targets of the process.</summary>
    private static IEnumerable<string> RulesOnHost(int pid, TargetTable.ProcessFacts facts, TargetList block)
    {
        var made = block.Targets.Where(labels => Names(labels, pid, facts.ContainerId)).Select(Target.From).OfType<Target>().Select(target => target.Labels).ToList();
        if (made.Count == 0 && block.ProfilesUnmatched)
        {
            made.Add(Target.Default(facts.DefaultName).Labels.With(block.DefaultLabels));
        }

        return block.Rules.IsEmpty ? [] : made.SelectMany(labels => Rules(block.Rules, labels).Prepend("pyroscope.relabel:"));
    }

    /// <summary>For each discovery, whether it names the process; for each relabeling, what its rules do.</summary>
    private static IEnumerable<string> Discovered(int pid, string container, ComponentValues values)
    {
        foreach (var state in values.States)
        {
            if (state.Options is RelabelDiscovery relabel)
            {
                foreach (var line in relabel.Targets.Where(labels => Names(labels, pid, container)).SelectMany(labels => Rules(relabel.Rules, labels)).Prepend($"{state.Id}:"))
                {
                    yield return line;
                }
            }
            else if (state.Options is IDiscovery && state.Exports.Fields.GetValueOrDefault("targets") is { } exported)
            {
                var targets = TargetsOf(exported);
                var own = targets.Where(labels => Names(labels, pid, container)).ToList();
                yield return $"{state.Id}: {targets.Length} targets, {own.Count} of them name this process{(container.Length > 0 ? " or its container" : "")}";
                foreach (var labels in own)
                {
                    yield return $"  {labels}";
                }
            }
        }
    }

    private static ImmutableArray<LabelSet> TargetsOf(Value exported) => ArgumentTypes.Targets.Decode(exported);

    private static bool Names(LabelSet labels, int pid, string container) =>
        labels[LabelNames.ProcessPid] == pid.ToString(CultureInfo.InvariantCulture) || (container.Length > 0 && Target.ContainerOf(labels) == container);

    private static IEnumerable<string> Rules(ImmutableArray<RelabelRule> rules, LabelSet labels)
    {
        for (var i = 0; i < rules.Length; i++)
        {
            if (Relabeler.Apply([rules[i]], labels) is not { } changed)
            {
                yield return $"  rule {i + 1} ({Word(rules[i].Action)}) drops {labels}";
                yield break;
            }

            foreach (var name in changed.Select(pair => pair.Name).Union(labels.Select(pair => pair.Name)).Where(name => changed[name] != labels[name]))
            {
                yield return $"  rule {i + 1} ({Word(rules[i].Action)}): {name} = \"{changed[name]}\", was \"{labels[name]}\"";
            }

            labels = changed;
        }

        yield return $"  kept: {labels}";
    }

    private static (Target? Target, string Why) Match(int pid, TargetTable.ProcessFacts facts, TargetList list, int sampleRate)
    {
        var table = new TargetTable();
        table.Replace(list);
        table.SetSampleRate(sampleRate);
        var made = list.Targets.Select(labels => (Labels: labels, Target: Target.From(labels))).Where(pair => pair.Target is not null).ToList();
        var byPid = made.Where(pair => pair.Target!.Pid == pid).ToList();
        var byContainer = made.Where(pair => facts.ContainerId.Length > 0 && pair.Target!.ContainerId == facts.ContainerId).ToList();
        var target = table.Match(pid, facts).Single().Target;
        var how = byPid.Count > 0 ? $"by its pid, which {byPid.Count} of {made.Count} targets name"
            : byContainer.Count > 0 ? $"by its container, which {byContainer.Count} of {made.Count} targets name"
            : list.ProfilesUnmatched ? $"by default: no target names it, so it goes under {facts.DefaultName}"
            : $"not profiled: none of {made.Count} targets has __process_pid__ = \"{pid}\"{(facts.ContainerId.Length > 0 ? $" or the container id {facts.ContainerId}" : "")}, and targets_only is true";
        return target is null && (byPid.Count + byContainer.Count > 0 || list.ProfilesUnmatched)
            ? (null, $"not profiled: a pyroscope.relabel rule drops the target it is matched to ({how})")
            : (target, target is null ? how : $"matched {how}");
    }

    private static string Word(RelabelAction action) => action.ToString().ToLowerInvariant();
}
