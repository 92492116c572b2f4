using Google.Protobuf;

namespace ActorProfiler.Aggregator.Ingest;

/// <summary>The collectors this aggregator knows: whose certificate each came with first, and what it has used of its quota. Pure state of <see cref="IngestGateActor"/>.</summary>
internal sealed class CollectorRegister(QuotaOptions quota, TimeProvider clock)
{
    /// <summary>Beyond it those unused for longest are forgotten.</summary>
    private const int Limit = 50_000;

    private readonly Dictionary<ByteString, Entry> _known = [];

    /// <summary>The quota of a collector; null when its id belongs to another certificate.</summary>
    /// <param name="certificate">Whose certificate it is; "" without TLS.</param>
    public CollectorQuota? Admit(ByteString collector, string certificate)
    {
        if (!_known.TryGetValue(collector, out var known))
        {
            if (_known.Count >= Limit)
            {
                ForgetOldest();
            }

            _known.Add(collector, known = new Entry(certificate, new CollectorQuota(quota, clock)));
        }

        return known.Certificate == certificate ? known.Quota : null;
    }

    private void ForgetOldest()
    {
        foreach (var collector in _known.OrderBy(pair => pair.Value.Quota.UsedAt).Take(Limit / 10).Select(pair => pair.Key).ToList())
        {
            _known.Remove(collector);
        }
    }

    private sealed record Entry(string Certificate, CollectorQuota Quota);
}
