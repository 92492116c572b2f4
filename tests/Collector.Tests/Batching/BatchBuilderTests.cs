using ActorProfiler.Collector.Batching;
using ActorProfiler.Collector.Elf;
using ActorProfiler.Collector.Symbols;

namespace ActorProfiler.Tests.Batching;

public class BatchBuilderTests
{
    private static readonly Module _module = new("/bin/a", "abcd", 0x1000, 0x2000, 0x1000);
    private static readonly Location _main = new(_module, 0x1000, [new Line(new Function("main", "main"), 0)], IsSymbolized: true);
    private static readonly Location _leaf = new(_module, 0x1100, [new Line(new Function("leaf", "_Z4leafv", "a.c", 3), 5)], IsSymbolized: true);

    private readonly BatchBuilder _builder = new(DateTimeOffset.UnixEpoch.AddSeconds(1), TimeSpan.FromSeconds(2), periodNanos: 10, weight: 3);

    [Fact]
    public void Writes_each_thing_once_and_stacks_leaf_first()
    {
        _builder.Add([_leaf, _main], 4);
        _builder.Add([_main], 1);

        var batch = _builder.Build();
        Assert.Equal((1_000_000_000, 2_000_000_000, 10, 3u), (batch.StartUnixNanos, batch.DurationNanos, batch.PeriodNanos, batch.Weight));
        Assert.Equal([4ul, 1ul], batch.Ticks);
        Assert.Equal([2u, 3u], batch.StackEnds);
        Assert.Equal([0u, 1u, 1u], batch.Stacks);
        Assert.Equal("", batch.Strings[0]);
        Assert.Equal("/bin/a", batch.Strings[(int)Assert.Single(batch.Modules).File]);
        var function = batch.Functions[(int)batch.Locations[0].Lines[0].Function];
        Assert.Equal(("leaf", "_Z4leafv", "a.c"), (batch.Strings[(int)function.Name], batch.Strings[(int)function.SystemName], batch.Strings[(int)function.File]));
        Assert.Equal((3u, 5u), (function.StartLine, batch.Locations[0].Lines[0].Line_));
    }

    [Fact]
    public void Adds_the_ticks_of_equal_stacks()
    {
        _builder.Add([_leaf, _main], 4);
        _builder.Add([_leaf, _main], 2);

        Assert.Equal([6ul], _builder.Build().Ticks);
        Assert.Equal(6, _builder.Ticks);
    }
}
