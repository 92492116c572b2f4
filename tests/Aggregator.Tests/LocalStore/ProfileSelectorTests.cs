using ActorProfiler.Aggregator.LocalStore;
using ActorProfiler.Labels;
using CsCheck;

namespace ActorProfiler.Tests.LocalStore;

public sealed class ProfileSelectorTests
{
    private static readonly LabelSet _labels = LabelSet.Of(("service_name", "cart"), ("host", "one"));

    [Theory]
    [InlineData("{}", true)]
    [InlineData("{service_name=\"cart\"}", true)]
    [InlineData(" { service_name = \"cart\" , host!=\"two\", } ", true)]
    [InlineData("{host!=\"one\"}", false)]
    [InlineData("{service_name=~\"ca.*\"}", true)]
    [InlineData("{service_name=~\"ca\"}", false)]
    [InlineData("{service_name!~\"x|y\"}", true)]
    [InlineData("{absent=\"\"}", true)]
    public void Selects_as_Prometheus_does(string selector, bool accepted) =>
        Assert.Equal(accepted, ProfileSelector.Parse(selector).Accepts(_labels));

    [Theory]
    [InlineData("", "expected {")]
    [InlineData("{a}", "expected one of = != =~ !~ at character 3")]
    [InlineData("{a=\"b}", "closing quote")]
    [InlineData("{a=~\"(\"}", "error parsing regexp: missing closing )")]
    [InlineData("{a=\"b\"} x", "expected the end")]
    public void Says_where_a_selector_is_wrong(string selector, string message) =>
        Assert.Contains(message, Assert.Throws<FormatException>(() => ProfileSelector.Parse(selector)).Message);

    [Fact]
    public void Any_text_is_parsed_or_refused() => Gen.String["{}a=~!\"\\,( "].Sample(text =>
    {
        try
        {
            ProfileSelector.Parse(text);
        }
        catch (FormatException)
        {
            return;
        }
    });
}
