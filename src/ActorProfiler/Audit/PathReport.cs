namespace ActorProfiler.Commands.Audit;

/// <summary>The ledgers of several processes, and what passed from collectors to aggregators between them.</summary>
/// <remarks>
/// An aggregator counts a batch as stored before its collector hears of it, so the aggregators are ahead of the collectors, by at most what
/// the collectors still hold: that much is tolerated, and nothing else is. A process that started later than another knows nothing of what passed before: then
/// only what must hold all the same is compared.
/// </remarks>
internal sealed record PathReport(IReadOnlyList<(string Where, LedgerReport Report)> Processes)
{
    /// <summary>What does not balance, one line each; none when all does.</summary>
    public IReadOnlyList<string> Imbalances()
    {
        var wrong = Processes.SelectMany(process => process.Report.Imbalances().Select(line => Named(process.Where, line))).ToList();
        if (Between() is not { } path)
        {
            return wrong;
        }

        if (path.AggregatorsSawAll && path.Stored < path.Heard)
        {
            wrong.Add($"collectors heard of {path.Heard} stored ticks, aggregators stored {path.Stored}: {path.Heard - path.Stored} are missing");
        }

        if (path.CollectorsSawAll && path.Stored - path.Heard > path.Held)
        {
            wrong.Add($"aggregators stored {path.Stored} ticks, collectors heard of {path.Heard} and wait for {path.Held}: {path.Stored - path.Heard - path.Held} more than were sent");
        }

        return wrong;
    }

    /// <summary>Every ledger, then what passed between collectors and aggregators.</summary>
    public IEnumerable<string> Lines()
    {
        foreach (var (where, report) in Processes)
        {
            foreach (var (name, entry) in report.Entries())
            {
                yield return Named(where, $"{name}: {entry}");
            }
        }

        if (Between() is { } path)
        {
            yield return $"path: aggregators stored {path.Stored} ticks, collectors heard of {path.Heard}; {path.Stored - path.Heard} acknowledgements on their way, of {path.Held} that may be"
                + (path.AggregatorsSawAll && path.CollectorsSawAll ? "" : " (processes started at different times: only in part comparable)");
        }
    }

    private string Named(string where, string line) => Processes.Count == 1 ? line : $"{where} {line}";

    private Path? Between()
    {
        var collectors = Processes.Select(process => process.Report).Where(report => report is { Collector: not null, Aggregator: null }).ToList();
        var aggregators = Processes.Select(process => process.Report).Where(report => report is { Collector: null, Aggregator: not null }).ToList();
        if (collectors.Count == 0 || aggregators.Count == 0)
        {
            return null;
        }

        // What a collector took over from an earlier start may have been stored then.
        var restored = collectors.Any(report => report.Collector!.Restored > 0);
        return new Path(
            aggregators.Sum(report => report.Aggregator!.Delivered),
            collectors.Sum(report => report.Collector!.Delivered),
            collectors.Sum(report => report.Collector!.Held),
            !restored && aggregators.Max(report => report.StartedUnixMillis) <= collectors.Min(report => report.StartedUnixMillis),
            collectors.Max(report => report.StartedUnixMillis) <= aggregators.Min(report => report.StartedUnixMillis) || !restored);
    }

    /// <param name="AggregatorsSawAll">Every aggregator ran before any of the collectors.</param>
    /// <param name="CollectorsSawAll">The collectors know of everything that was sent to these aggregators, as far as they are all there are.</param>
    private sealed record Path(long Stored, long Heard, long Held, bool AggregatorsSawAll, bool CollectorsSawAll);
}
