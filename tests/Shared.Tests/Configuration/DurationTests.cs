using ActorProfiler.Configuration;

namespace ActorProfiler.Tests.Configuration;

public class DurationTests
{
    [Theory]
    [InlineData("15s", 15_000)]
    [InlineData("1h30m", 5_400_000)]
    [InlineData("1.5s", 1_500)]
    [InlineData("500ms", 500)]
    [InlineData("-2m", -120_000)]
    [InlineData("0", 0)]
    [InlineData("1ms500us", 1.5)]
    public void Reads_what_go_reads(string text, double milliseconds)
    {
        Assert.True(Duration.TryParse(text, out var duration));
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), duration);
    }

    [Theory]
    [InlineData("")]
    [InlineData("s")]
    [InlineData("15")]
    [InlineData("15 s")]
    [InlineData("1x")]
    [InlineData("1.2.3s")]
    [InlineData("-")]
    [InlineData("999999999999h")]
    public void Refuses_the_rest(string text) => Assert.False(Duration.TryParse(text, out _));
}
