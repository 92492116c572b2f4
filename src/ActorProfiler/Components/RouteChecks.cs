using ActorProfiler.Commands.Configuration;
using ActorProfiler.Configuration.Components;
using ActorProfiler.Configuration.Syntax;
using ActorProfiler.Labels;

namespace ActorProfiler.Commands.Components;

/// <summary>Warns about <c>pyroscope.relabel</c> rules that read what is only there on the host, but are applied where profiles are delivered.</summary>
internal static class RouteChecks
{
    private static readonly string[] _onHost = [LabelNames.ProcessPid, LabelNames.ContainerId];

    public static void Report(ComponentGraph graph, ComponentValues values, Diagnostics diagnostics)
    {
        var onHost = RunPlan.RoutingOf(values).HostRelabels;
        foreach (var (state, relabel) in values.Of<RelabelComponent>().Where(pair => !onHost.Contains(pair.State.Id)))
        {
            if (relabel.Written.SelectMany(rule => rule.SourceLabels).FirstOrDefault(_onHost.Contains) is { } label)
            {
                diagnostics.Warning(
                    graph.File,
                    state.Node.Block.Header,
                    $"{label} is empty here: processes are merged before this block, since not all profiles go through it; use it in discovery.relabel, or in a pyroscope.relabel that alone stands after pyroscope.ebpf");
            }
        }
    }
}
