using System.Collections.Immutable;
using ActorProfiler.Configuration.Relabeling;
using ActorProfiler.Labels;
using CsCheck;

namespace ActorProfiler.Tests.Configuration.Relabeling;

public sealed class RelabelerTests
{
    private static readonly LabelSet _labels = LabelSet.Of(("a", "foo"), ("b", "bar"), ("c", "baz"), ("__meta_x", "m"));

    [Fact]
    public void Replaces_with_groups_and_reads_what_earlier_rules_wrote() =>
        Expect(LabelSet.Of(("a", "boobam"), ("b", "bar"), ("c", "baz"), ("__meta_x", "m"), ("d", "boooom")),
            new RelabelRuleOptions { SourceLabels = ["a", "b"], Regex = "f(.*);(.*)r", TargetLabel = "a", Replacement = "b${1}${2}m" },
            new RelabelRuleOptions { SourceLabels = ["c", "a"], Regex = "(b).*b(.*)ba(.*)", TargetLabel = "d", Replacement = "$1$2$2$3" });

    [Fact]
    public void A_rule_that_does_not_match_changes_nothing() =>
        Expect(_labels, new RelabelRuleOptions { SourceLabels = ["a"], Regex = "o", TargetLabel = "d" });

    [Fact]
    public void An_empty_replacement_deletes_the_label() =>
        Expect(_labels.With("a", ""), new RelabelRuleOptions { TargetLabel = "a", Replacement = "" });

    [Fact]
    public void A_target_that_expands_to_no_label_name_changes_nothing() =>
        Expect(_labels, new RelabelRuleOptions { SourceLabels = ["a"], Regex = "(.*)", TargetLabel = "${2}", Replacement = "x" });

    [Fact]
    public void Expands_the_target_too() =>
        Expect(_labels.With("foo_x", "m"), new RelabelRuleOptions { SourceLabels = ["a", "__meta_x"], Regex = "(.*);(.*)", TargetLabel = "${1}_x", Replacement = "$2" });

    [Theory]
    [InlineData("keep", "foo", true)]
    [InlineData("keep", "fo", false)]
    [InlineData("drop", "foo", false)]
    [InlineData("drop", "fo", true)]
    public void Keeps_and_drops_by_the_whole_value(string action, string regex, bool kept) =>
        Assert.Equal(kept, Apply(new RelabelRuleOptions { SourceLabels = ["a"], Regex = regex, Action = action }) is not null);

    [Theory]
    [InlineData("keepequal", "foo", true)]
    [InlineData("keepequal", "bar", false)]
    [InlineData("dropequal", "foo", false)]
    public void Compares_two_labels(string action, string other, bool kept) =>
        Assert.Equal(kept, Relabeler.Apply([new RelabelRuleOptions { SourceLabels = ["a"], TargetLabel = "z", Action = action }.Build()], _labels.With("z", other)) is not null);

    [Fact]
    public void Hashes_as_Prometheus_does() =>
        Expect(_labels.With("d", "976"), new RelabelRuleOptions { SourceLabels = ["c"], TargetLabel = "d", Action = "HashMod", Modulus = 1000 });

    [Fact]
    public void Changes_case() =>
        Expect(_labels.With("up", "FOO").With("low", "foo"),
            new RelabelRuleOptions { SourceLabels = ["a"], TargetLabel = "up", Action = "uppercase" },
            new RelabelRuleOptions { SourceLabels = ["up"], TargetLabel = "low", Action = "lowercase" });

    [Fact]
    public void Maps_labels_by_name_and_keeps_the_originals() =>
        Expect(_labels.With("x", "m"), new RelabelRuleOptions { Regex = "__meta_(.*)", Action = "labelmap" });

    [Fact]
    public void Drops_and_keeps_labels_by_name()
    {
        Expect(LabelSet.Of(("a", "foo"), ("c", "baz")), new RelabelRuleOptions { Regex = "b|__.*", Action = "labeldrop" });
        Expect(LabelSet.Of(("b", "bar")), new RelabelRuleOptions { Regex = "b", Action = "labelkeep" });
    }

    [Fact]
    public void Stops_at_the_first_drop() =>
        Assert.Null(Apply(new RelabelRuleOptions { Regex = ".*", Action = "drop" }, new RelabelRuleOptions { TargetLabel = "a", Replacement = "x" }));

    [Theory]
    [MemberData(nameof(Wrong))]
    public void Says_which_fields_do_not_fit(RelabelRuleOptions rule, string message) =>
        Assert.Equal(message, Assert.Throws<FormatException>(rule.Build).Message);

    public static TheoryData<RelabelRuleOptions, string> Wrong() => new()
    {
        { new() { Action = "" }, "relabel action cannot be empty" },
        { new() { Action = "replacee" }, "unrecognized action type \"replacee\"; did you mean \"replace\"?" },
        { new() { Action = "hashmod", TargetLabel = "a" }, "relabel configuration for hashmod requires non-zero modulus" },
        { new(), "relabel configuration for replace action requires 'target_label' value" },
        { new() { TargetLabel = "a-b" }, "\"a-b\" is invalid 'target_label' for replace action" },
        { new() { Action = "lowercase", TargetLabel = "${1}" }, "\"${1}\" is invalid 'target_label' for lowercase action" },
        { new() { Action = "uppercase", TargetLabel = "a", Replacement = "x" }, "'replacement' can not be set for uppercase action" },
        { new() { Action = "labelmap", Replacement = "-" }, "\"-\" is invalid 'replacement' for labelmap action" },
        { new() { Action = "labeldrop", SourceLabels = ["a"] }, "labeldrop action requires only 'regex', and no other fields" },
        { new() { Action = "keepequal", TargetLabel = "a", Regex = "b" }, "keepequal action requires only 'source_labels' and 'target_label', and no other fields" },
        { new() { Regex = "(", TargetLabel = "a" }, "error parsing regexp: missing closing ): `(`" },
    };

    [Fact]
    public void Any_rules_are_applied_or_refused()
    {
        var text = Gen.String["a$1{}._;-"];
        var names = Gen.OneOf(new[] { "a", "b", "__x", "d", "", "-" }.Select(Gen.Const).ToArray());
        var action = Gen.OneOf(Enum.GetNames<RelabelAction>().Append("nothing").Select(Gen.Const).ToArray());
        var regex = Gen.OneOf(new[] { "(.*)", "a(.)", "(?P<a>.*)_x", "[ab]+", "(", ".*" }.Select(Gen.Const).ToArray());
        var rule = Gen.Select(action, names.Array[0, 3], regex, names, text, Gen.ULong[0, 5], (verb, sources, pattern, target, replacement, modulus) =>
            new RelabelRuleOptions { Action = verb, SourceLabels = [.. sources], Regex = pattern, TargetLabel = target, Replacement = replacement.Length > 3 ? "$1" : replacement, Modulus = modulus });
        Gen.Select(rule.Array[0, 6], Gen.Select(names, text).Array[0, 6]).Sample((rules, labels) =>
        {
            try
            {
                Relabeler.Apply([.. rules.Select(options => options.Build())], LabelSet.Of(labels));
            }
            catch (FormatException)
            {
                return;
            }
        }, iter: 3_000);
    }

    private static LabelSet? Apply(params RelabelRuleOptions[] rules) => Relabeler.Apply([.. rules.Select(rule => rule.Build())], _labels);

    private static void Expect(LabelSet expected, params RelabelRuleOptions[] rules) => Assert.Equal(expected.ToString(), Apply(rules)?.ToString());
}
