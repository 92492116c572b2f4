using System.Text.Json.Serialization;
using ActorProfiler.Telemetry;

namespace ActorProfiler.Commands.Audit;

/// <summary>The ledgers of a process, as <c>/api/v1/ledger</c> shows them.</summary>
/// <param name="StartedUnixMillis">When the process started: ledgers count from then on.</param>
/// <param name="Destinations">By name.</param>
internal sealed record LedgerReport(
    string Role, long StartedUnixMillis, LedgerEntry? Collector, LedgerEntry? Aggregator, IReadOnlyDictionary<string, LedgerEntry> Destinations)
{
    /// <summary>What does not balance, one line each; none when all does.</summary>
    public IReadOnlyList<string> Imbalances()
    {
        var wrong = new List<string>();
        foreach (var (name, entry) in Entries())
        {
            if (entry.Missing != 0)
            {
                wrong.Add($"{name}: {entry.Missing} of {entry.Ticks} ticks are neither {entry.Settled}, nor dropped, nor held");
            }
        }

        foreach (var (name, entry) in Destinations)
        {
            Compare($"the aggregator stored {Aggregator?.Delivered} ticks, {name} was given", Aggregator?.Delivered, entry.Ticks - entry.Restored);
        }

        // A collector that took over batches of an earlier start may hear of some that were stored then.
        if (Collector is { Restored: 0 } collector)
        {
            Compare($"the collector heard of {collector.Delivered} stored ticks, the aggregator stored", Aggregator is null ? null : collector.Delivered, Aggregator?.Delivered ?? 0);
        }

        return wrong;

        void Compare(string what, long? expected, long actual)
        {
            if (expected is not null && expected != actual)
            {
                wrong.Add($"{what} {actual}");
            }
        }
    }

    /// <summary>All ledgers, in the order of the line.</summary>
    public IEnumerable<(string Name, LedgerEntry Entry)> Entries() =>
        [
            .. Collector is null ? [] : new[] { ("collector", Collector) },
            .. Aggregator is null ? [] : new[] { ("aggregator", Aggregator) },
            .. Destinations.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => ($"destination {pair.Key}", pair.Value)),
        ];
}

/// <param name="Settled">What the tier calls its delivered ticks.</param>
/// <param name="Restored">Of the ticks: those that waited on disk when the process started.</param>
/// <param name="Held">Counted where they wait, not as a difference.</param>
/// <param name="Ahead">Counted by the kernel, to be handed over with the next interval.</param>
internal sealed record LedgerEntry(string Settled, long Ticks, long Restored, long Delivered, IReadOnlyDictionary<string, long> Dropped, long Held, long Ahead)
{
    /// <summary>Ticks that the kernel may have counted and not handed over: more than this is a loss.</summary>
    private const long AheadLimit = 1000;

    /// <summary>Ticks that entered and are nowhere.</summary>
    [JsonIgnore]
    public long Missing => Ticks - Delivered - Dropped.Values.Sum() - Held - (Ahead is >= 0 and <= AheadLimit ? Ahead : 0);

    public static LedgerEntry Of(string settled, LossLedger ledger) =>
        new(settled, ledger.Ticks, ledger.Restored, ledger.Delivered, new SortedDictionary<string, long>(ledger.Dropped.ToDictionary(), StringComparer.Ordinal), ledger.Held, ledger.Ahead);

    public override string ToString()
    {
        var reasons = Dropped.Count == 0 ? "" : $" ({string.Join(", ", Dropped.Select(reason => $"{reason.Key} {reason.Value}"))})";
        var restored = Restored == 0 ? "" : $" ({Restored} of an earlier start)";
        return $"{Ticks} ticks{restored} = {Delivered} {Settled} + {Dropped.Values.Sum()} dropped{reasons} + {Held} waiting{(Ahead == 0 ? "" : $" + {Ahead} in the kernel")}";
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(LedgerReport))]
internal sealed partial class LedgerJson : JsonSerializerContext;
