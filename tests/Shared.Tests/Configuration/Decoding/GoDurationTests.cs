using ActorProfiler.Configuration.Decoding;
using CsCheck;

namespace ActorProfiler.Tests.Configuration.Decoding;

public sealed class GoDurationTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("15s", 15_000_000_000)]
    [InlineData("1h30m", 5_400_000_000_000)]
    [InlineData("1.5s", 1_500_000_000)]
    [InlineData(".5ms", 500_000)]
    [InlineData("1m1ms", 60_001_000_000)]
    [InlineData("-2us", -2000)]
    [InlineData("+300µs", 300_000)]
    public void Reads_what_Go_reads(string text, long nanoseconds) =>
        Assert.Equal(nanoseconds / 100, GoDuration.Parse(text).Ticks);

    [Theory]
    [InlineData("")]
    [InlineData("10")]
    [InlineData("s")]
    [InlineData("1.2.3s")]
    [InlineData(".s")]
    [InlineData("1d")]
    [InlineData("1 s")]
    [InlineData("1s ")]
    [InlineData("-")]
    [InlineData("9999999999h")]
    public void Refuses_what_Go_refuses(string text) => Assert.Throws<FormatException>(() => GoDuration.Parse(text));

    [Theory]
    [InlineData(90_000, "1m30s")]
    [InlineData(3_600_000, "1h")]
    [InlineData(500, "500ms")]
    [InlineData(0, "0s")]
    [InlineData(1_500, "1.5s")]
    public void Writes_the_shortest_form(int milliseconds, string text) => Assert.Equal(text, GoDuration.Write(TimeSpan.FromMilliseconds(milliseconds)));

    [Fact]
    public void What_it_writes_it_reads() =>
        Gen.Long[-1_000_000_000_000_000, 1_000_000_000_000_000].Sample(ticks => Assert.Equal(ticks, GoDuration.Parse(GoDuration.Write(TimeSpan.FromTicks(ticks))).Ticks));

    [Fact]
    public void Any_text_is_read_or_refused() => Gen.String["0123456789.-+nuµmsh "].Sample(text =>
    {
        try
        {
            GoDuration.Parse(text);
        }
        catch (FormatException)
        {
            return;
        }
    });
}
