using System.Collections.Immutable;
using ActorProfiler.Labels;

namespace ActorProfiler.Collector.Targets.Discovery;

/// <summary>Something that finds targets: the options of a <c>discovery.*</c> block, which know how to look.</summary>
internal interface IDiscovery
{
    /// <summary>What the log is to say of it when it starts, because nobody asked for it in so many words; "" for nothing.</summary>
    string Remark => "";

    /// <summary>All targets there are, each time anew when they may have changed, until cancelled.</summary>
    /// <exception cref="Exception">The search failed; the caller keeps what was found and starts another after a pause.</exception>
    IAsyncEnumerable<ImmutableArray<LabelSet>> FindAsync(TimeProvider clock, CancellationToken cancellation);
}
