using System.Collections.Immutable;
using ActorProfiler.Configuration.Relabeling;
using ActorProfiler.Labels;

namespace ActorProfiler.Collector.Targets;

/// <summary>What <c>pyroscope.ebpf</c> profiles at the moment.</summary>
/// <param name="Targets">As discovery found them. Those that name neither a process nor a container count for nothing.</param>
/// <param name="ProfilesUnmatched">Gives a process that no target names one of its own: by its unit, container or executable.</param>
/// <param name="DefaultLabels">Set over the labels of those.</param>
/// <param name="Rules">Relabel the series of every target; a target they drop is not profiled.</param>
internal sealed record TargetList(
    ImmutableArray<LabelSet> Targets, bool ProfilesUnmatched, LabelSet DefaultLabels, ImmutableArray<RelabelRule> Rules)
{
    public static readonly TargetList Empty = new([], false, LabelSet.Empty, []);
}
