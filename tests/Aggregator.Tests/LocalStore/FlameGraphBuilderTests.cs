using ActorProfiler.Aggregator.LocalStore;
using CsCheck;

namespace ActorProfiler.Tests.LocalStore;

public sealed class FlameGraphBuilderTests
{
    [Fact]
    public void Puts_parents_before_children_and_siblings_by_name()
    {
        var graph = Merge(100, "b;x 1", "a;y 2", "a;x 3");

        Assert.Equal(["all", "all;a", "all;a;x", "all;a;y", "all;b", "all;b;x"], Paths(graph));
        Assert.Equal(-1, graph.Parents[0]);
    }

    [Fact]
    public void Tells_functions_of_the_same_name_in_different_modules_apart()
    {
        Assert.Equal(3, Merge(100, "one!main 1", "two!main 1").Parents.Count);
    }

    [Fact]
    public void Shows_inlined_callees_under_their_caller()
    {
        var profile = FoldedProfile.Of("outer 1");
        profile.Function.Add(new Pprof.Function { Id = 9, Name = profile.StringTable.Count });
        profile.StringTable.Add("inlined");
        profile.Location[0].Line.Insert(0, new Pprof.Line { FunctionId = 9 });
        var builder = new FlameGraphBuilder();
        builder.Add(profile);

        Assert.Equal(["all", "all;outer", "all;outer;inlined"], Paths(builder.Build(1, 1, 0, default)));
    }

    [Fact]
    public void Cuts_the_smallest_nodes_into_other_and_says_how_much()
    {
        var lines = Enumerable.Range(0, 50).Select(i => $"main;small{i} 1").Append("main;large 100").ToArray();

        var graph = Merge(10, lines);

        Assert.Contains("all;main;large", Paths(graph));
        Assert.Contains("all;main;(other)", Paths(graph));
        Assert.InRange(graph.Parents.Count, 1, 10);
        Assert.Equal(150 * FoldedProfile.Period, graph.TotalNanos);
        Assert.InRange(graph.CutNodes, 41, 50);
        Assert.InRange(graph.CutNanos, 41 * FoldedProfile.Period, 50 * FoldedProfile.Period);
    }

    [Fact]
    public void Keeps_all_time_and_the_limit_whatever_is_merged()
    {
        Gen.Int[0, 5].Array[1, 8].Array[1, 60].Sample(stacks =>
        {
            var graph = Merge(16, [.. stacks.Select((stack, i) => $"{string.Join(';', stack)} {i % 7 + 1}")]);

            Assert.Equal(stacks.Select((_, i) => (i % 7 + 1) * FoldedProfile.Period).Sum(), graph.TotalNanos);
            Assert.InRange(graph.Parents.Count, 1, 16);
            Assert.All(graph.Parents.Skip(1).Select((parent, i) => (parent, node: i + 1)), pair => Assert.InRange(pair.parent, 0, pair.node - 1));
        });
    }

    [Fact]
    public void Refuses_a_profile_whose_samples_name_a_location_it_lacks()
    {
        var profile = FoldedProfile.Of("main 1");
        profile.Sample[0].LocationId.Add(77);

        Assert.Contains("location 77", Assert.Throws<FormatException>(() => new FlameGraphBuilder().Add(profile)).Message);
    }

    [Theory]
    [InlineData("do_syscall_64", "[kernel.kallsyms]", "", "kernel")]
    [InlineData("app+0x1234", "/usr/bin/app", "", "unknown")]
    [InlineData("main.main", "/app/server", "main.go", "go")]
    [InlineData("<module>", "", "/srv/app.py", "python")]
    [InlineData("malloc", "/usr/lib/libc.so.6", "", "library")]
    [InlineData("main", "/usr/bin/app", "main.c", "native")]
    [InlineData("System.String.Concat", "[jit]", "", "jit")]
    public void Tells_the_kind_of_a_frame(string name, string module, string file, string kind) =>
        Assert.Equal(kind, FrameKind.Of(name, module, file));

    /// <summary>The path of each node, names joined by semicolons.</summary>
    internal static IEnumerable<string> Paths(FlameGraph graph)
    {
        var paths = new List<string>();
        for (var node = 0; node < graph.Parents.Count; node++)
        {
            var name = graph.Frames[graph.NodeFrames[node]].Name;
            paths.Add(node == 0 ? name : $"{paths[graph.Parents[node]]};{name}");
        }

        return paths;
    }

    private static FlameGraph Merge(int nodeLimit, params string[] lines)
    {
        var builder = new FlameGraphBuilder(nodeLimit);
        builder.Add(FoldedProfile.Of(lines));
        return builder.Build(1, 1, 0, default);
    }
}
