using System.Collections.Immutable;
using ActorProfiler.Commands.Configuration;
using ActorProfiler.Configuration.Components;
using ActorProfiler.Configuration.Relabeling;
using ActorProfiler.Configuration.Syntax;
using ActorProfiler.Labels;
using CsCheck;

namespace ActorProfiler.Tests;

/// <summary>Whatever a file says, loading it ends in a configuration or in errors.</summary>
public class RandomConfigurationTests
{
    private static readonly string[] _files = [.. Directory.GetFiles(Path.Combine(Repository.Root, "examples"), "*.alloy").Select(File.ReadAllText)];

    private static readonly Gen<string> _piece = OneOf(
        "{", "}", "[", "]", "\"", "=", ",", ".", "(", ")", "\n", "null", "true", "-1", "1e9", "\"x\"", "pyroscope.ebpf \"host\" {", "discovery.relabel \"a\" {", "targets = ", "rule {",
        "regex = \"(\"", "env(\"A\")", "pyroscope.write.server.receiver", "discovery.relabel.a.output", "forward_to = []", "/*", "`");

    [Fact]
    public void A_thousand_damaged_files_never_crash() =>
        Gen.Select(OneOf(_files), Gen.Select(Gen.Double[0, 1], Gen.Int[0, 30], _piece).Array[1, 4]).Sample(
            (text, edits) =>
            {
                foreach (var (where, length, piece) in edits)
                {
                    var at = (int)(where * text.Length);
                    text = string.Concat(text.AsSpan(0, at), piece, text.AsSpan(Math.Min(text.Length, at + length)));
                }

                var diagnostics = new Diagnostics();
                var loaded = LoadedConfiguration.Load(new SourceFile("f", text), ComponentValues.None, pushes: true, diagnostics);
                return loaded is null == diagnostics.HasErrors && diagnostics.All.All(problem => problem.Render().Length > 0);
            },
            iter: 1000);

    [Fact]
    public void A_thousand_random_rule_sets_never_crash()
    {
        var word = OneOf("", "a", "__meta_x", "(.*)", "([a-z]+)-(\\d+)", "$1", "${1}x", "$$", "é", "[", "a|b", "(?i)A", "\\p{L}+", ";");
        var action = OneOf("replace", "keep", "drop", "keepequal", "dropequal", "hashmod", "lowercase", "uppercase", "labelmap", "labeldrop", "labelkeep", "nonsense");
        var rule = Gen.Select(word.Array[0, 3], word, word, word, Gen.ULong[0, 9], action).Select((sources, regex, target, replacement, modulus, name) =>
            new RelabelRuleOptions { SourceLabels = [.. sources], Regex = regex, TargetLabel = target, Replacement = replacement, Modulus = modulus, Action = name });
        Gen.Select(rule.Array[0, 6], Gen.Select(word, word).Array[0, 5]).Sample(
            (rules, labels) =>
            {
                var built = ImmutableArray.CreateBuilder<RelabelRule>();
                foreach (var options in rules)
                {
                    try
                    {
                        built.Add(options.Build());
                    }
                    catch (FormatException wrong)
                    {
                        Assert.NotEmpty(wrong.Message);
                    }
                }

                var changed = Relabeler.Apply(built.ToImmutable(), LabelSet.From(labels.Where(pair => pair.Item1.Length > 0).Select(pair => new LabelPair(pair.Item1, pair.Item2))));
                return changed is null || changed.All(pair => pair.Value.Length > 0);
            },
            iter: 1000);
    }

    private static Gen<T> OneOf<T>(params T[] items) => Gen.Int[0, items.Length - 1].Select(index => items[index]);
}
