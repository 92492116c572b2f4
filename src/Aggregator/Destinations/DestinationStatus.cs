namespace ActorProfiler.Aggregator.Destinations;

/// <summary>How a destination does, for the page. Written by its actor, read by anybody.</summary>
internal sealed class DestinationStatus(string name)
{
    private volatile Snapshot _current = new(true, 0, 0, "", null);

    public string Name { get; } = name;

    public Snapshot Current => _current;

    public void Update(Func<Snapshot, Snapshot> change) => _current = change(_current);

    /// <param name="Waiting">Profiles not settled.</param>
    /// <param name="WaitingBytes">Their compressed bytes, those under way left out.</param>
    /// <param name="LastError">What the destination said last when it failed, or "".</param>
    public sealed record Snapshot(bool Healthy, int Waiting, long WaitingBytes, string LastError, DateTimeOffset? LastErrorAt);
}
