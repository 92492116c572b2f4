using System.Collections.Immutable;
using ActorProfiler.Configuration.Decoding;
using ActorProfiler.Configuration.Evaluation;
using ActorProfiler.Configuration.Evaluation.Functions;
using ActorProfiler.Configuration.Relabeling;
using ActorProfiler.Configuration.Syntax;
using ActorProfiler.Labels;
using CsCheck;
using SyntaxTexts = ActorProfiler.Tests.Configuration.Syntax.Texts;

namespace ActorProfiler.Tests.Configuration.Decoding;

public sealed class BlockSchemaTests
{
    private sealed record Login
    {
        public string User { get; init; } = "";

        public SecretValue? Password { get; init; }
    }

    private sealed record Endpoint
    {
        public string Url { get; init; } = "";

        public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

        public Login? Login { get; init; }
    }

    private sealed record Options
    {
        public int Rate { get; init; } = 97;

        public double Threshold { get; init; } = 0.5;

        public bool Kernel { get; init; } = true;

        public string Demangle { get; init; } = "none";

        public ImmutableArray<LabelSet> Targets { get; init; } = [];

        public ImmutableArray<string> ForwardTo { get; init; } = [];

        public ImmutableArray<Endpoint> Endpoints { get; init; } = [];

        public ImmutableArray<RelabelRuleOptions> Rules { get; init; } = [];
    }

    private static readonly BlockSchema<Login> _login = new BlockSchema<Login>(() => new())
        .Optional("username", ArgumentTypes.Text, login => login.User, (login, value) => login with { User = value }, "Name.")
        .Optional("password", ArgumentTypes.Secret, login => login.Password, (login, value) => login with { Password = value }, "Password.");

    private static readonly BlockSchema<Endpoint> _endpoint = new BlockSchema<Endpoint>(() => new())
        .Required("url", ArgumentTypes.Text, (endpoint, value) => endpoint with { Url = value }, "Where to push.")
        .Optional("remote_timeout", ArgumentTypes.Duration(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5)), endpoint => endpoint.Timeout, (endpoint, value) => endpoint with { Timeout = value }, "Longest wait.")
        .Block("basic_auth", _login, (endpoint, login) => endpoint with { Login = login }, "Who we are.");

    private static readonly BlockSchema<Options> _schema = new BlockSchema<Options>(() => new(), LabelRule.Required)
        .Required("forward_to", ArgumentTypes.List(ArgumentTypes.Text), (options, value) => options with { ForwardTo = value }, "Who gets the profiles.")
        .Optional("sample_rate", ArgumentTypes.Integer(1, 1000), options => options.Rate, (options, value) => options with { Rate = value }, "Samples a second on each CPU.")
        .Optional("threshold", ArgumentTypes.Float(0, 1), options => options.Threshold, (options, value) => options with { Threshold = value }, "Share.")
        .Optional("kernel", ArgumentTypes.Bool, options => options.Kernel, (options, value) => options with { Kernel = value }, "Kernel frames.")
        .Optional("demangle", ArgumentTypes.OneOf("none", "simplified", "templates", "full"), options => options.Demangle, (options, value) => options with { Demangle = value }, "C++ names.")
        .Optional("targets", ArgumentTypes.Targets, options => options.Targets, (options, value) => options with { Targets = value }, "What to profile.")
        .Ignored("pid_map_size", ArgumentTypes.Integer(1), "maps grow by themselves")
        .Blocks("endpoint", _endpoint, (options, blocks) => options with { Endpoints = [.. blocks] }, "A destination.")
        .Blocks("rule", RelabelRuleSchema.Rule, (options, blocks) => options with { Rules = [.. blocks] }, "A relabel rule.")
        .Check(options =>
        {
            if (options.Rate > 500 && options.Kernel)
            {
                throw new FormatException("sample_rate above 500 needs kernel = false");
            }
        });

    [Fact]
    public void Decodes_values_conversions_and_nested_blocks()
    {
        var options = Decode("""
            c "x" {
              forward_to  = ["a", 1.5]
              sample_rate = "50" // text to number
              kernel      = null // the default
              targets     = [{"service_name" = "a", "n" = 1}]
              rule {
                source_labels = ["a"]
                action        = "Drop"
              }
              endpoint {
                url            = "http://" + "h"
                remote_timeout = "1m30s"
                basic_auth {
                  username = "u"
                  password = "hunter2"
                }
              }
            }
            """, out var diagnostics);

        Assert.Empty(diagnostics.All);
        Assert.Equal((50, true, "none"), (options.Rate, options.Kernel, options.Demangle));
        Assert.Equal(["a", "1.5"], options.ForwardTo);
        Assert.Equal([LabelSet.Of(("service_name", "a"), ("n", "1"))], options.Targets);
        Assert.Equal(RelabelAction.Drop, options.Rules.Single().Build().Action);
        Assert.Equal(("http://h", TimeSpan.FromSeconds(90), "hunter2"), (options.Endpoints[0].Url, options.Endpoints[0].Timeout, options.Endpoints[0].Login!.Password!.Reveal()));
    }

    [Theory]
    [InlineData("sample_rate = 0", "f:3:15: 0 should be 1 to 1000, got 0")]
    [InlineData("sample_rate = 1.5", "f:3:15: 1.5 should be a whole number")]
    [InlineData("sample_rate = \"x\"", "f:3:15: \"x\" should be number, got string")]
    [InlineData("threshold = 2", "f:3:13: 2 should be 0 to 1, got 2")]
    [InlineData("kernel = \"true\"", "f:3:10: \"true\" should be bool, got string")]
    [InlineData("demangle = \"ful\"", "f:3:12: \"ful\" should be one of \"none\", \"simplified\", \"templates\", \"full\"; did you mean \"full\"?")]
    [InlineData("targets = [{a = \"b\"}, {a = [1]}]", "f:3:28: [1] should be string, got array")]
    [InlineData("targets = known", "f:3:11: known[0].a should be string, got bool")]
    [InlineData("targets = [{a = hidden}]", "f:3:17: hidden should be string, got secret: secrets may not be converted into strings; convert.nonsensitive does it on purpose")]
    [InlineData("sample_rat = 1", "f:3:1: unrecognized attribute name \"sample_rat\"; did you mean \"sample_rate\"?")]
    [InlineData("endpiont { }", "f:3:1: unrecognized block name \"endpiont\"; did you mean \"endpoint\"?")]
    [InlineData("endpoint = 1", "f:3:1: \"endpoint\" must be a block, but is used as an attribute")]
    [InlineData("kernel { }", "f:3:1: \"kernel\" must be an attribute, but is used as a block")]
    [InlineData("kernel = true\nkernel = true", "f:4:1: attribute \"kernel\" may only be provided once")]
    [InlineData("endpoint { }", "f:3:1: missing required attribute \"url\"")]
    [InlineData("endpoint \"l\" { url = \"\" }", "f:3:1: block \"endpoint\" does not support specifying labels")]
    [InlineData("endpoint {\nurl = \"\"\nbasic_auth { }\nbasic_auth { }\n}", "f:6:1: block \"basic_auth\" may only be specified once")]
    [InlineData("endpoint {\nurl = \"\"\nremote_timeout = \"10\"\n}", "f:5:18: \"10\" is wrong: \"10\" is no duration; write a number and one of ns, us, ms, s, m, h, such as \"15s\" or \"1h30m\"")]
    [InlineData("endpoint {\nurl = \"\"\nremote_timeout = \"1h\"\n}", "f:5:18: \"1h\" should be 1s to 5m, got 1h")]
    [InlineData("endpoint {\nurl = \"\"\nremote_timeout = 10\n}", "f:5:18: 10 should be a duration such as \"15s\", got number")]
    [InlineData("rule { regex = \"(\" }", "f:3:16: \"(\" is wrong: error parsing regexp: missing closing ): `(`")]
    [InlineData("rule { action = \"hashmod\" }", "f:3:1: relabel configuration for hashmod requires non-zero modulus")]
    [InlineData("rule { action = \"dorp\" }", "f:3:17: \"dorp\" is wrong: unrecognized action type \"dorp\"; did you mean \"drop\"?")]
    [InlineData("sample_rate = 501", "f:1:1: sample_rate above 500 needs kernel = false")]
    [InlineData("sample_rate = missing", "f:3:15: identifier \"missing\" does not exist")]
    public void Says_what_is_wrong_and_where(string text, string message)
    {
        Decode($"c \"x\" {{\nforward_to = []\n{text}\n}}", out var diagnostics);

        Assert.Equal([message], diagnostics.All.Select(error => error.ToString()));
    }

    [Fact]
    public void Reports_every_mistake_of_a_block_at_once()
    {
        Decode("c {\nsample_rate = 0\nkernel = 1\nnothing = 2\nendpoint {\nremote_timeout = 1\n}\n}", out var diagnostics);

        Assert.Equal([1, 2, 3, 4, 5, 6], diagnostics.All.Select(error => error.Position.Line));
    }

    [Fact]
    public void Warns_of_an_argument_without_effect()
    {
        Decode("c \"x\" {\nforward_to = []\npid_map_size = 5\n}", out var diagnostics);

        Assert.Equal("f:3:1: warning: \"pid_map_size\" has no effect: maps grow by themselves", diagnostics.All.Single().ToString());
        Assert.False(diagnostics.HasErrors);
    }

    [Theory]
    [InlineData("0", "f:3:16: 0 should be at least 1, got 0")]
    [InlineData("\"x\"", "f:3:16: \"x\" should be number, got string")]
    [InlineData("null", null)]
    public void An_argument_without_effect_has_a_type_and_a_range_all_the_same(string value, string? message)
    {
        Decode($"c \"x\" {{\nforward_to = []\npid_map_size = {value}\n}}", out var diagnostics);

        Assert.Equal(message is null ? [] : [message], diagnostics.All.Where(problem => problem.Severity == Severity.Error).Select(error => error.ToString()));
    }

    [Theory]
    [InlineData("password = [\"hunter2\"]")]
    [InlineData("password = \"hunter2\" + 1")]
    [InlineData("password = \"hunter2\" - 1")]
    [InlineData("password = \"hunter2\".x")]
    [InlineData("password = to_lower([\"hunter2\"])")]
    [InlineData("password = \"hunter2")]
    [InlineData("password = 'hunter2'")]
    [InlineData("username = \"u\" password = \"hunter2\"")]
    public void A_secret_is_never_shown_in_a_message(string text)
    {
        Decode($"c \"x\" {{\nforward_to = []\nendpoint {{\nurl = \"\"\nbasic_auth {{\n{text}\n}}\n}}\n}}", out var diagnostics);

        Assert.True(diagnostics.HasErrors);
        Assert.DoesNotContain("hunter2", string.Concat(diagnostics.All.Select(error => error.Render())));
    }

    [Fact]
    public void Describes_itself_with_the_defaults_of_the_options()
    {
        var table = SchemaTable.Markdown(_schema);

        Assert.Contains("| `sample_rate` | int | `97` | 1 to 1000 | Samples a second on each CPU. |", table);
        Assert.Contains("| `endpoint.remote_timeout` | duration | `\"10s\"` | 1s to 5m | Longest wait. |", table);
        Assert.Contains("| `forward_to` | list(string) | required |  | Who gets the profiles. |", table);
        Assert.Contains("| `rule.regex` | string | `\"(.*)\"` |", table);
    }

    [Fact]
    public void Any_correct_file_is_decoded_or_refused() =>
        SyntaxTexts.File.Sample(text =>
        {
            var file = new SourceFile("f", text);
            var diagnostics = new Diagnostics();
            var body = Parser.Parse(file, diagnostics);
            _schema.Decode(body, new Span(0, 0), new DecodeContext(file, _scope, diagnostics));
        });

    private static readonly Scope _scope = new(
        new Dictionary<string, Value>
        {
            ["known"] = Value.Of([Value.Of([KeyValuePair.Create("a", Value.Of(true))])]),
            ["hidden"] = new SecretValue("hunter2"),
        },
        StandardLibrary.Create(_ => null, "1"));

    private static Options Decode(string text, out Diagnostics diagnostics)
    {
        var file = new SourceFile("f", text);
        diagnostics = new Diagnostics();
        var body = Parser.Parse(file, diagnostics);
        return body.Statements is [BlockStatement block] ? _schema.Decode(block, new DecodeContext(file, _scope, diagnostics)) : new Options();
    }
}
