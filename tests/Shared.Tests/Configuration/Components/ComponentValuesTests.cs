using System.Collections.Immutable;
using ActorProfiler.Configuration.Components;
using ActorProfiler.Configuration.Decoding;
using ActorProfiler.Configuration.Evaluation;
using ActorProfiler.Configuration.Evaluation.Functions;
using ActorProfiler.Configuration.Syntax;

namespace ActorProfiler.Tests.Configuration.Components;

public sealed class ComponentValuesTests
{
    private static readonly Scope _library = StandardLibrary.Create(_ => null, "1.0.0");

    /// <summary>Runs: exports what it found.</summary>
    private sealed record Source
    {
        public static readonly IComponentType Type = new ComponentType<Source>("test.source", "", new BlockSchema<Source>(() => new(), LabelRule.Required)
                .Optional("speed", ArgumentTypes.Integer(1, 9), options => options.Speed, (options, value) => options with { Speed = value }, ""))
            .Exporting(["items"], (_, _, found) => new Dictionary<string, Value> { ["items"] = found ?? Value.Of(Enumerable.Empty<Value>()) });

        public int Speed { get; init; } = 1;
    }

    private sealed record Sink
    {
        public static readonly IComponentType Type = new ComponentType<Sink>("test.sink", "", new BlockSchema<Sink>(() => new(), LabelRule.Required)
            .Required("items", ArgumentTypes.List(ArgumentTypes.Text), (options, value) => options with { Items = value }, "")
            .Optional("rate", ArgumentTypes.Integer(1, 9), options => options.Rate, (options, value) => options with { Rate = value }, ""))
        {
            Most = 2,
        };

        public ImmutableArray<string> Items { get; init; } = [];

        public int Rate { get; init; } = 1;
    }

    [Fact]
    public void What_a_component_finds_reaches_the_blocks_that_use_it()
    {
        var (graph, values) = Load("test.sink \"b\" {\n  items = test.source.a.items\n}\ntest.source \"a\" { }");

        var after = values.Found(graph, "test.source.a", Value.Of(["x"]));

        Assert.Equal(["x"], after.Of<Sink>().Single().Options.Items);
        Assert.Same(values.Of<Source>().Single().Options, after.Of<Source>().Single().Options);
    }

    [Fact]
    public void A_block_that_cannot_take_what_was_found_keeps_what_it_had_and_says_why()
    {
        var (graph, values) = Load("test.source \"a\" { }\ntest.sink \"b\" {\n  items = test.source.a.items\n}");

        var good = values.Found(graph, "test.source.a", Value.Of(["x"]));
        var bad = good.Found(graph, "test.source.a", Value.Of(5L));
        var healed = bad.Found(graph, "test.source.a", Value.Of(["y"]));

        var sink = bad.Of<Sink>().Single();
        Assert.Equal(["x"], sink.Options.Items);
        Assert.Equal("f:3:11: test.source.a.items should be array, got number", sink.State.Problem);
        Assert.Equal(("", "y"), (healed.Of<Sink>().Single().State.Problem, healed.Of<Sink>().Single().Options.Items.Single()));
    }

    [Fact]
    public void A_reload_keeps_the_options_of_blocks_that_are_as_they_were()
    {
        var (_, values) = Load("test.source \"a\" {\n  speed = 2\n}\ntest.source \"c\" { }");
        var diagnostics = new Diagnostics();
        var file = new SourceFile("f", "// moved\ntest.source \"c\" {\n  speed = 3\n}\ntest.source \"a\" {\n  speed = 2\n}");

        var after = values.Load(ComponentGraph.Load(file, [Source.Type, Sink.Type], _library, diagnostics), diagnostics);

        Assert.Same(values.Find("test.source.a")!.Options, after.Find("test.source.a")!.Options);
        Assert.NotSame(values.Find("test.source.c")!.Options, after.Find("test.source.c")!.Options);
    }

    [Theory]
    [InlineData("test.sauce \"a\" { }", "f:1:1: unrecognized block name \"test.sauce\"; did you mean \"test.source\"?")]
    [InlineData("x = 1", "f:1:1: unrecognized attribute name \"x\"; a file holds blocks")]
    [InlineData("test.source \"a\" { }\ntest.source \"a\" { }", "f:2:1: block \"test.source.a\" is declared twice; the first is at f:1")]
    [InlineData("test.sink \"a\" {\n  items = test.source.b.items\n}", "f:2:11: component \"test.source.b\" does not exist")]
    [InlineData("test.source \"a\" { }\ntest.sink \"a\" {\n  items = test.source.a.item\n}", "f:3:11: \"test.source.a\" has no export \"item\"; did you mean \"items\"?")]
    [InlineData("test.source \"a\" { }\ntest.sink \"a\" {\n  items = test.source.a\n}", "f:3:11: \"test.source.a\" is a block; use one of its exports: test.source.a.items")]
    [InlineData("test.sink \"a\" {\n  items = []\n}\ntest.sink \"b\" {\n  items = []\n}\ntest.sink \"c\" {\n  items = []\n}", "f:7:1: block \"test.sink\" may be specified at most 2 times; the first is at f:1")]
    [InlineData("test.sink \"a\" {\n  items = test.source.b.items\n  rate = 10\n}", "f:3:10: 10 should be 1 to 9, got 10")]
    public void A_mistake_is_told_with_its_place(string text, string expected)
    {
        var diagnostics = new Diagnostics();

        ComponentValues.None.Load(ComponentGraph.Load(new SourceFile("f", text), [Source.Type, Sink.Type], _library, diagnostics), diagnostics);

        Assert.Contains(expected, diagnostics.All.Select(problem => problem.ToString()));
    }

    private static (ComponentGraph Graph, ComponentValues Values) Load(string text)
    {
        var diagnostics = new Diagnostics();
        var graph = ComponentGraph.Load(new SourceFile("f", text), [Source.Type, Sink.Type], _library, diagnostics);
        var values = ComponentValues.None.Load(graph, diagnostics);
        Assert.Empty(diagnostics.All);
        return (graph, values);
    }
}
