using System.Text.RegularExpressions;

namespace ActorProfiler.Tests;

/// <summary>Folders are the stages of the line: a stage uses only stages to its left, and Shared.</summary>
public partial class StageOrderTests
{
    private static readonly string[] _collector = ["Elf", "Processes", "Unwinding", "Interpreters", "Sampling", "Targets", "Symbols", "Stacks", "Batching"];
    private static readonly string[] _aggregator = ["Peers", "Ingest", "Aggregation", "Pprof", "Outbox", "Destinations", "LocalStore", "Page"];

    // The entry hands streams on and is handed answers, so it knows the stages it feeds.
    private static readonly HashSet<(string From, string To)> _exceptions = [("Ingest", "Aggregation")];

    public static TheoryData<string, string[]> Tiers => new() { { "Collector", _collector }, { "Aggregator", _aggregator } };

    [Theory]
    [MemberData(nameof(Tiers))]
    public void Stages_use_only_stages_to_their_left(string tier, string[] stages)
    {
        var wrong =
            from stage in stages
            from file in Sources(Path.Combine("src", tier, stage))
            from Match use in Usings().Matches(File.ReadAllText(file))
            let used = use.Groups["stage"].Value
            where use.Groups["tier"].Value == tier && stages.Contains(used)
                && Array.IndexOf(stages, used) > Array.IndexOf(stages, stage) && !_exceptions.Contains((stage, used))
            select $"{Path.GetRelativePath(Repository.Root, file)} uses {used}";

        Assert.Empty(wrong);
    }

    [Fact]
    public void Tiers_do_not_know_each_other()
    {
        var wrong =
            from pair in new[] { ("Collector", "Aggregator"), ("Aggregator", "Collector"), ("Shared", "Collector"), ("Shared", "Aggregator") }
            from file in Sources(Path.Combine("src", pair.Item1))
            where Usings().Matches(File.ReadAllText(file)).Any(use => use.Groups["tier"].Value == pair.Item2)
            select $"{Path.GetRelativePath(Repository.Root, file)} uses {pair.Item2}";

        Assert.Empty(wrong);
    }

    [Fact]
    public void Every_folder_of_a_tier_is_a_stage()
    {
        Assert.Equal(_collector.Order(), Folders("Collector"));
        Assert.Equal(_aggregator.Order(), Folders("Aggregator"));
    }

    private static IEnumerable<string> Folders(string tier) =>
        Directory.GetDirectories(Path.Combine(Repository.Root, "src", tier)).Select(folder => Path.GetFileName(folder)!)
            .Where(name => name is not ("bin" or "obj")).Order();

    private static string[] Sources(string folder) =>
        Directory.GetFiles(Path.Combine(Repository.Root, folder), "*.cs", SearchOption.AllDirectories);

    [GeneratedRegex(@"^using ActorProfiler\.(?<tier>Collector|Aggregator)(?:\.(?<stage>\w+))?", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Usings();
}
