using ActorProfiler.Collector.Processes;
using ActorProfiler.Collector.Sampling;

namespace ActorProfiler.Commands.Record;

/// <summary>Profiles whatever is sampled.</summary>
internal sealed class RecordPolicy : IProcessPolicy
{
    public ProcessDecision Decide(KnownProcess process) => new(IsProfiled: true);

    public void Forget(ProcessIdentity process)
    {
        // nothing is kept
    }
}
