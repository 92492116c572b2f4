using System.Collections.Immutable;

namespace ActorProfiler.Aggregator.Peers;

/// <summary>Decides with whom an aggregator that is in no cluster joins or makes one, so that those that start together make one and not several.</summary>
/// <remarks>
/// All that are found are sorted; of those that answer, the first makes a cluster when none of the others has one, the rest wait for it. Nobody makes
/// one without a majority of the expected number: two halves that do not see each other cannot both have it. Pure; one look after the other.
/// </remarks>
/// <param name="self">This aggregator as <c>host:port</c>.</param>
internal sealed class PeerBootstrap(string self, PeerSearch search)
{
    private ImmutableSortedSet<string> _found = [];
    private ImmutableArray<string> _joined = [];
    private DateTimeOffset _since;

    /// <param name="Seeds">Whom to join: the first of them makes the cluster. Null: nothing to do now.</param>
    /// <param name="Waiting">Why there is no cluster to be made yet, or "".</param>
    internal readonly record struct Decision(ImmutableArray<string>? Seeds, string Waiting);

    /// <summary>Takes the outcome of a look.</summary>
    /// <param name="found">All that were found.</param>
    /// <param name="reached">Those of them that answer, this one among them.</param>
    public Decision Look(ImmutableSortedSet<string> found, IReadOnlySet<string> reached, DateTimeOffset now)
    {
        if (!found.SetEquals(_found))
        {
            (_found, _since) = (found, now);
        }

        if (!found.Contains(self))
        {
            return new(null, $"{self} is not among the aggregators that were found ({Shown(found)}): address must be as the others see it");
        }

        if (reached.Count < search.Majority)
        {
            return new(null, $"{reached.Count} of {search.Expected} aggregators answer ({Shown(reached)} of {Shown(found)}); a cluster is made by {search.Majority}");
        }

        if (now - _since < search.Stable)
        {
            return new(null, "");
        }

        ImmutableArray<string> seeds = [.. found.Where(reached.Contains)];
        if (seeds.AsSpan().SequenceEqual(_joined.AsSpan()))
        {
            return new(null, "");
        }

        _joined = seeds;
        return new(seeds, "");
    }

    private static string Shown(IEnumerable<string> addresses) => string.Join(", ", addresses.Take(20)) is { Length: > 0 } text ? text : "none";
}
