using ActorProfiler.Collector.Sampling.Native;

namespace ActorProfiler.Tests.Sampling;

public class OnlineCpusTests
{
    [Theory]
    [InlineData("0\n", new[] { 0 })]
    [InlineData("0-3\n", new[] { 0, 1, 2, 3 })]
    [InlineData("0-1,4,6-7", new[] { 0, 1, 4, 6, 7 })]
    public void Reads_ranges(string text, int[] cpus) => Assert.Equal(cpus, OnlineCpus.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("3-1")]
    [InlineData("1-2-3")]
    [InlineData("0-99999999")]
    public void Refuses_other_text(string text) => Assert.Throws<FormatException>(() => OnlineCpus.Parse(text));
}
