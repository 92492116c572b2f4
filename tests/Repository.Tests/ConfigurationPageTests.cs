using System.Text;
using ActorProfiler.Commands.Components;
using ActorProfiler.Commands.Configuration;
using ActorProfiler.Configuration.Components;
using ActorProfiler.Configuration.Decoding;
using ActorProfiler.Configuration.Syntax;

namespace ActorProfiler.Tests;

/// <summary>docs/configuration.md and examples/ say what the program does.</summary>
public class ConfigurationPageTests
{
    private const string Marker = "<!-- generated: ACTORPROFILER_WRITE_DOCS=1 with this test writes it -->\n";

    private static readonly string _page = Path.Combine(Repository.Root, "docs/configuration.md");

    public static TheoryData<string> Examples =>
        [.. Directory.GetFiles(Path.Combine(Repository.Root, "examples"), "*.alloy").Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    [Fact]
    public void The_reference_is_what_the_program_accepts()
    {
        var text = File.ReadAllText(_page);
        var expected = text[..(text.IndexOf(Marker, StringComparison.Ordinal) + Marker.Length)] + Reference();
        if (Environment.GetEnvironmentVariable("ACTORPROFILER_WRITE_DOCS") == "1")
        {
            File.WriteAllText(_page, expected);
        }

        Assert.Contains(Marker, text, StringComparison.Ordinal);
        Assert.Equal(expected, File.ReadAllText(_page));
    }

    [Theory]
    [MemberData(nameof(Examples))]
    public void Every_example_is_valid_and_formatted(string name)
    {
        var path = Path.Combine(Repository.Root, "examples", name);
        // Variables of the examples that need no secret to be valid.
        Environment.SetEnvironmentVariable("GCLOUD_HOSTED_PROFILES_URL", "https://profiles-prod-001.grafana.net");
        var diagnostics = new Diagnostics();

        var loaded = LoadedConfiguration.Load(LoadedConfiguration.Read(path), ComponentValues.None, pushes: false, diagnostics);

        Assert.DoesNotContain(diagnostics.All, problem => problem.Severity == Severity.Error);
        Assert.NotNull(loaded?.Plan.Ebpf);
        Assert.Equal(File.ReadAllText(path), Formatter.Format(LoadedConfiguration.Read(path), diagnostics));
    }

    [Fact]
    public void The_page_shows_the_default_configuration()
    {
        var text = LoadedConfiguration.Read(null).Text;

        Assert.Contains(text[text.IndexOf("pyroscope.ebpf", StringComparison.Ordinal)..], File.ReadAllText(_page), StringComparison.Ordinal);
    }

    private static string Reference()
    {
        var text = new StringBuilder();
        foreach (var type in ComponentTypes.All)
        {
            var label = type.Label == LabelRule.None ? "" : " \"LABEL\"";
            text.Append($"\n## {type.Name}\n\n{type.Summary}\n\n```alloy\n{type.Name}{label} {{ … }}\n```\n\n");
            if (!type.ExportNames.IsEmpty)
            {
                text.Append($"Exports: {string.Join(", ", type.ExportNames.Select(name => $"`{type.Name}.LABEL.{name}`"))}.\n\n");
            }

            if (type.Most == 1)
            {
                text.Append("At most one in a file.\n\n");
            }

            text.Append(SchemaTable.Markdown(type.Describe()));
        }

        return text.ToString();
    }
}
