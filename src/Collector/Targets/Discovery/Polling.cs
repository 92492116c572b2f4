using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using ActorProfiler.Labels;

namespace ActorProfiler.Collector.Targets.Discovery;

/// <summary>Discovery by asking again and again.</summary>
internal static class Polling
{
    public static async IAsyncEnumerable<ImmutableArray<LabelSet>> EveryAsync(
        TimeSpan interval,
        Func<CancellationToken, Task<ImmutableArray<LabelSet>>> find,
        TimeProvider clock,
        [EnumeratorCancellation] CancellationToken cancellation)
    {
        while (true)
        {
            yield return await find(cancellation).ConfigureAwait(false);
            await Task.Delay(interval, clock, cancellation).ConfigureAwait(false);
        }
    }
}
