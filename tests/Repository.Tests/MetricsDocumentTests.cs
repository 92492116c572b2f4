using System.Text.RegularExpressions;

namespace ActorProfiler.Tests;

public partial class MetricsDocumentTests
{
    private static readonly string[] _sources = ["src/Collector/CollectorMetrics.cs", "src/ActorProfiler/Configuration/ConfigurationStatus.cs", "src/Aggregator/AggregatorMetrics.cs"];

    [Fact]
    public void Every_metric_has_its_row_and_every_row_its_metric()
    {
        var made = _sources
            .SelectMany(file => Creation().Matches(File.ReadAllText(Path.Combine(Repository.Root, file))))
            .Select(match => (Name: match.Groups["name"].Value, Kind: match.Groups["kind"].Value.ToLowerInvariant(), Labels: LabelsOf(match.Groups["labels"].Value)))
            .Order().ToList();
        var written = Row().Matches(File.ReadAllText(Path.Combine(Repository.Root, "docs/metrics.md")))
            .Select(match => (Name: match.Groups["name"].Value, Kind: match.Groups["kind"].Value, Labels: LabelsOf(match.Groups["labels"].Value)))
            .Order().ToList();

        Assert.NotEmpty(made);
        Assert.Equal(made, written);
    }

    private static string LabelsOf(string text) => string.Join(", ", Word().Matches(text).Select(match => match.Value));

    [GeneratedRegex("""Create(?<kind>Counter|Gauge|Histogram)\(\s*"(?<name>[a-z_]+)",\s*"(?:[^"\\]|\\.)*"(?:,\s*\[(?<labels>[^\]]*)\])?""")]
    private static partial Regex Creation();

    [GeneratedRegex(@"^\| `(?<name>[a-z_]+)` \| (?<kind>counter|gauge|histogram) \| (?<labels>[^|]*) \|", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("[a-z_]+")]
    private static partial Regex Word();
}
