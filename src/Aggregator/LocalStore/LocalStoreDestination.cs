using ActorProfiler.Aggregator.Destinations;
using ActorProfiler.Aggregator.Pprof;
using ActorProfiler.Labels;

namespace ActorProfiler.Aggregator.LocalStore;

/// <summary>Writes profiles to the local store of this process, which the page reads.</summary>
internal sealed class LocalStoreDestination(ProfileStore store) : IDestination
{
    public string Name => "local";

    public string Endpoint => "";

    /// <summary>Which blocks a series is of does not concern who looks at it.</summary>
    public LabelSet SeriesOf(LabelSet series) => series.Where(name => name != LabelNames.Origin);

    public Task<WriteOutcome> WriteAsync(EncodedProfile profile, CancellationToken cancellation)
    {
        store.Add(profile with { Labels = SeriesOf(profile.Labels) });
        return Task.FromResult(WriteOutcome.Delivered);
    }
}
