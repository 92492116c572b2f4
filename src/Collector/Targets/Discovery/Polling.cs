using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using ActorProfiler.Labels;

namespace ActorProfiler.Collector.Targets.Discovery;

/// <summary>Discovery by asking again and again.</summary>
internal static class Polling
{
    /// <summary>All there is, at once and again after each <paramref name="interval"/>.</summary>
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

    /// <inheritdoc cref="EveryAsync(TimeSpan,Func{CancellationToken,Task{ImmutableArray{LabelSet}}},TimeProvider,CancellationToken)"/>
    /// <param name="open">Makes what is asked; disposed when the caller has heard enough.</param>
    public static async IAsyncEnumerable<ImmutableArray<LabelSet>> EveryAsync<TSource>(
        TimeSpan interval,
        Func<TSource> open,
        Func<TSource, CancellationToken, Task<ImmutableArray<LabelSet>>> find,
        TimeProvider clock,
        [EnumeratorCancellation] CancellationToken cancellation)
        where TSource : IDisposable
    {
        using var source = open();
        await foreach (var targets in EveryAsync(interval, token => find(source, token), clock, cancellation).ConfigureAwait(false))
        {
            yield return targets;
        }
    }
}
