using System.Text.RegularExpressions;

namespace ActorProfiler.Tests;

/// <summary>What the style guide forbids in the product's sources.</summary>
public partial class SourceTests
{
    [Fact]
    public void Nothing_is_left_to_do() => Assert.Empty(Lines(ToDo()));

    [Fact]
    public void No_failure_is_swallowed() => Assert.Empty(Lines(EmptyCatch()));

    [Fact]
    public void Every_dependency_has_its_reason()
    {
        var reasons = File.ReadAllText(Path.Combine(Repository.Root, "docs/decisions/0002-dependencies.md"));
        var packages = PackageReference().Matches(string.Concat(
            Directory.GetFiles(Repository.Root, "*.csproj", SearchOption.AllDirectories).Where(file => !file.Contains("artifacts", StringComparison.Ordinal)).Select(File.ReadAllText)));

        Assert.NotEmpty(packages);
        Assert.All(packages.Select(package => package.Groups["name"].Value).Distinct(), name => Assert.Contains(name, reasons, StringComparison.Ordinal));
    }

    private static IEnumerable<string> Lines(Regex forbidden) =>
        from file in Directory.GetFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories)
        let text = File.ReadAllText(file)
        from Match match in forbidden.Matches(text)
        select $"{Path.GetRelativePath(Repository.Root, file)}: {match.Value}";

    [GeneratedRegex(@"\b(TODO|FIXME|HACK|XXX|NotImplementedException)\b")]
    private static partial Regex ToDo();

    [GeneratedRegex(@"catch(\s*\([^)]*\))?\s*\{\s*\}")]
    private static partial Regex EmptyCatch();

    [GeneratedRegex("<PackageReference Include=\"(?<name>[^\"]+)\"", RegexOptions.ExplicitCapture)]
    private static partial Regex PackageReference();
}
