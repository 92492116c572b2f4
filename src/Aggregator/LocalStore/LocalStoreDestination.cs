using ActorProfiler.Aggregator.Destinations;
using ActorProfiler.Aggregator.Pprof;

namespace ActorProfiler.Aggregator.LocalStore;

/// <summary>Writes profiles to the local store of this process, which the page reads.</summary>
internal sealed class LocalStoreDestination(ProfileStore store) : IDestination
{
    public string Name => "local";

    public string Endpoint => "";

    public Task<WriteOutcome> WriteAsync(EncodedProfile profile, CancellationToken cancellation)
    {
        store.Add(profile);
        return Task.FromResult(WriteOutcome.Delivered);
    }
}
