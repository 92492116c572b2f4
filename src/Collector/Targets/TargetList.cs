using System.Collections.Immutable;
using ActorProfiler.Collector.Sampling;
using ActorProfiler.Configuration.Relabeling;
using ActorProfiler.Labels;

namespace ActorProfiler.Collector.Targets;

/// <summary>What one <c>pyroscope.ebpf</c> block profiles at the moment.</summary>
/// <param name="Targets">As discovery found them. Those that name neither a process nor a container count for nothing.</param>
/// <param name="ProfilesUnmatched">Gives a process that no target names one of its own: by its unit, container or executable.</param>
/// <param name="DefaultLabels">Set over the labels of those.</param>
/// <param name="Rules">Relabel the series of every target; a target they drop is not profiled.</param>
internal sealed record TargetList(
    ImmutableArray<LabelSet> Targets, bool ProfilesUnmatched, LabelSet DefaultLabels, ImmutableArray<RelabelRule> Rules)
{
    public static readonly TargetList Empty = new([], false, LabelSet.Empty, []);

    public TargetDefaults Defaults { get; init; } = TargetDefaults.AsHost;

    /// <summary>Value of <see cref="LabelNames.Origin"/> in its series; "" when all series go the same ways.</summary>
    public string Origin { get; init; } = "";

    /// <summary>Equal when discovery found nothing new and all else has the same values.</summary>
    public bool Equals(TargetList? other) =>
        other is not null && Targets.Equals(other.Targets) && ProfilesUnmatched == other.ProfilesUnmatched && DefaultLabels.Equals(other.DefaultLabels)
        && Rules.AsSpan().SequenceEqual(other.Rules.AsSpan()) && Defaults == other.Defaults && Origin == other.Origin;

    public override int GetHashCode() => HashCode.Combine(Targets.Length, ProfilesUnmatched, Rules.Length, Origin);
}

/// <summary>What holds for the targets of a block that have no option of their own, where it differs from the host's.</summary>
/// <param name="SampleRate">In Hz; 0 as the host's.</param>
/// <param name="Python">Null as the host's.</param>
/// <param name="Demangle">"" as the host's.</param>
/// <param name="GoTableFallback">Null as the host's.</param>
internal sealed record TargetDefaults(int SampleRate, ProcessFlags Flags, bool? Python, string Demangle, bool? GoTableFallback = null)
{
    public static readonly TargetDefaults AsHost = new(0, ProcessFlags.None, null, "");
}
