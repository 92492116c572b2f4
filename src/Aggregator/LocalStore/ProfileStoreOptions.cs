namespace ActorProfiler.Aggregator.LocalStore;

/// <param name="MaxAge">Profiles whose window ended longer ago are dropped.</param>
/// <param name="MaxBytes">Most the stored profiles may take together, compressed as they are.</param>
internal sealed record ProfileStoreOptions(TimeSpan MaxAge, long MaxBytes)
{
    public static readonly ProfileStoreOptions Default = new(TimeSpan.FromHours(1), 64L << 20);
}
