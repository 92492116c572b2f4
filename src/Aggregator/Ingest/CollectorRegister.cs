using Google.Protobuf;

namespace ActorProfiler.Aggregator.Ingest;

/// <summary>The collectors this aggregator knows: whose certificate each came with first, and what it has used of its quota. Pure state of <see cref="IngestGateActor"/>.</summary>
/// <param name="owners">Whose certificate the collectors of earlier starts came with.</param>
internal sealed class CollectorRegister(QuotaOptions quota, IReadOnlyDictionary<ByteString, string> owners, TimeProvider clock)
{
    private readonly Dictionary<ByteString, Entry> _known = owners.ToDictionary(pair => pair.Key, pair => new Entry(pair.Value, new CollectorQuota(quota, clock)));

    /// <summary>The quota of a collector; null when its id belongs to another certificate. Beyond the limit of <see cref="CollectorOwners"/> those unused for longest are forgotten.</summary>
    /// <param name="certificate">Whose certificate it is; "" without TLS.</param>
    /// <param name="isNew">The id was not known before.</param>
    public CollectorQuota? Admit(ByteString collector, string certificate, out bool isNew)
    {
        isNew = !_known.TryGetValue(collector, out var known);
        if (known is null)
        {
            if (_known.Count >= CollectorOwners.Limit)
            {
                ForgetOldest();
            }

            _known.Add(collector, known = new Entry(certificate, new CollectorQuota(quota, clock)));
        }

        return known.Certificate == certificate ? known.Quota : null;
    }

    private void ForgetOldest()
    {
        foreach (var collector in _known.OrderBy(pair => pair.Value.Quota.UsedAt).Take(CollectorOwners.Limit / 10).Select(pair => pair.Key).ToList())
        {
            _known.Remove(collector);
        }
    }

    private sealed record Entry(string Certificate, CollectorQuota Quota);
}
