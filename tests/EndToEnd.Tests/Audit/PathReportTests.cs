using ActorProfiler.Commands.Audit;

namespace ActorProfiler.Tests.Audit;

public sealed class PathReportTests
{
    [Theory]
    [InlineData(100, 100, 0, true)]
    [InlineData(100, 70, 30, true)] // thirty acknowledgements are on their way
    [InlineData(100, 60, 30, false)] // ten ticks more than were ever sent
    [InlineData(90, 100, 30, false)] // ten ticks acknowledged and not stored
    public void Aggregators_are_ahead_of_collectors_by_what_these_wait_for(long stored, long heard, long held, bool balances)
    {
        var report = new PathReport([("a", Aggregator(stored, startedAt: 0)), ("b", Collector(heard, held, startedAt: 1))]);

        Assert.Equal(balances, report.Imbalances().Count == 0);
        Assert.Contains(report.Lines(), line => line.StartsWith("path: ", StringComparison.Ordinal));
    }

    [Fact]
    public void Sums_over_all_collectors_and_aggregators()
    {
        var report = new PathReport([("a", Aggregator(30, 0)), ("b", Aggregator(70, 0)), ("c", Collector(55, 0, 1)), ("d", Collector(40, 5, 1))]);

        Assert.Empty(report.Imbalances());
    }

    [Fact]
    public void An_aggregator_that_started_later_may_have_stored_less_than_was_heard_of()
    {
        var report = new PathReport([("a", Aggregator(90, startedAt: 5)), ("b", Collector(100, 0, startedAt: 1))]);

        Assert.Empty(report.Imbalances());
        Assert.Contains(report.Lines(), line => line.Contains("only in part comparable", StringComparison.Ordinal));
    }

    private static LedgerReport Aggregator(long stored, long startedAt) => new("aggregator", startedAt, null, Entry(stored, 0), new Dictionary<string, LedgerEntry>());

    private static LedgerReport Collector(long heard, long held, long startedAt) => new("collector", startedAt, Entry(heard, held), null, new Dictionary<string, LedgerEntry>());

    private static LedgerEntry Entry(long delivered, long held) => new("stored", delivered + held, 0, delivered, new Dictionary<string, long>(), held, 0);
}
