namespace ActorProfiler.Aggregator.Destinations;

/// <summary>Tells a profile that makes the server fail from a server that fails at everything.</summary>
internal sealed class PoisonWatch
{
    /// <summary>Faults of the server at one profile, while it takes others, after which the profile is held to be the cause.</summary>
    private const int FaultLimit = 5;

    private readonly Dictionary<long, (int Count, long DeliveredBefore)> _faults = [];
    private long _delivered;

    public void Delivered(long profile)
    {
        _delivered++;
        _faults.Remove(profile);
    }

    public void Forget(long profile) => _faults.Remove(profile);

    /// <summary>Counts a fault of the server; true when this profile has had enough of them while others were taken.</summary>
    public bool Faulted(long profile)
    {
        var (faults, delivered) = _faults.GetValueOrDefault(profile, (0, _delivered));
        _faults[profile] = (faults + 1, delivered);
        return faults + 1 >= FaultLimit && _delivered > delivered;
    }
}
