using System.Text.Json;

namespace ActorProfiler.Tests.Faults;

/// <summary>What the ledgers of a tier say.</summary>
internal static class DroppedTicks
{
    /// <summary>Ticks that the aggregators of a tier say they dropped on the way to the first destination, by reason.</summary>
    public static async Task<Dictionary<string, long>> ByReasonAsync(Tier tier)
    {
        using var http = new HttpClient();
        var dropped = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var node in tier.Nodes)
        {
            using var ledger = JsonDocument.Parse(await http.GetStringAsync($"http://{node.Address}:4041/api/v1/ledger"));
            foreach (var reason in ledger.RootElement.GetProperty("destinations").GetProperty("d0").GetProperty("dropped").EnumerateObject())
            {
                dropped[reason.Name] = dropped.GetValueOrDefault(reason.Name) + reason.Value.GetInt64();
            }
        }

        return dropped;
    }

    /// <summary>All of them.</summary>
    public static async Task<long> InAllAsync(Tier tier) => (await ByReasonAsync(tier)).Values.Sum();
}
