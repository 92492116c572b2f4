using System.Text;
using ActorProfiler.Aggregator.Page;
using ActorProfiler.Tests.LocalStore;

namespace ActorProfiler.Tests.Page;

public sealed class FlameGraphDocumentTests
{
    [Fact]
    public void A_name_cannot_leave_the_data()
    {
        var html = Write("</title><script>alert(1)</script>", "</script><script>alert(2)</script> 3");

        Assert.DoesNotContain("<script>alert", html);
        Assert.Contains("\\u003C/script\\u003E", html);
    }

    [Fact]
    public void Loads_nothing_and_allows_only_its_own_scripts()
    {
        var html = Write("recording", "main 1");

        Assert.DoesNotContain("src=\"", html.Replace("img-src", "", StringComparison.Ordinal));
        Assert.DoesNotContain("href=\"page.css\"", html);
        Assert.Matches("default-src 'none'; script-src 'sha256-[^']+' 'sha256-[^']+'; style-src 'sha256-[^']+'", html);
    }

    private static string Write(string title, string line)
    {
        using var target = new MemoryStream();
        FlameGraphDocument.Write(target, FoldedProfile.Of(line), title, [("command", "<b>"), ("ticks", "1")]);
        return Encoding.UTF8.GetString(target.ToArray());
    }
}
