using System.Diagnostics;
using ActorProfiler.Configuration.Relabeling;
using CsCheck;

namespace ActorProfiler.Tests.Configuration.Relabeling;

public sealed class Re2RegexTests
{
    [Theory]
    [InlineData("a", "a", true)]
    [InlineData("a", "ab", false)]
    [InlineData("a|b", "xb", false)]
    [InlineData("a.c", "a\nc", true)]
    [InlineData("a", "a\n", false)]
    [InlineData("a$", "a\n", false)]
    [InlineData(@"\d+", "١", false)]
    [InlineData(@"\w", "é", false)]
    [InlineData(@"\W", "é", true)]
    [InlineData(@"\s", "\u00a0", false)]
    [InlineData(@"\D\S", "x٣", true)]
    [InlineData("(?i)straße|K", "k", true)]
    [InlineData("(?P<n>a)(?<m>b)", "ab", true)]
    [InlineData("[[:alpha:]-]+", "a-b", true)]
    [InlineData("[^[:^digit:]]", "5", true)]
    [InlineData("[]a]", "]", true)]
    [InlineData("[a-z-[x]", "[", true)]
    [InlineData(@"[\w.-]+", "a.b-c", true)]
    [InlineData(@"\Qa.b\E", "a.b", true)]
    [InlineData(@"\Qa.b\E", "axb", false)]
    [InlineData(@"\x{41}\x42\103\pL\p{Lu}", "ABCdE", true)]
    [InlineData("a{2,3}", "aaa", true)]
    [InlineData("a{,3}", "a{,3}", true)]
    [InlineData("a # b", "a # b", true)]
    [InlineData("(?m)a$\n^b", "a\nb", true)]
    [InlineData("", "", true)]
    [InlineData("|a", "", true)]
    [InlineData("a*?b+?", "aab", true)]
    [InlineData("😀+", "😀😀", true)]
    public void Matches_as_RE2_does(string pattern, string text, bool matches) => Assert.Equal(matches, new Re2Regex(pattern).IsMatch(text));

    [Theory]
    [InlineData("(", "missing closing )")]
    [InlineData(")", "unexpected )")]
    [InlineData("[a", "missing closing ]")]
    [InlineData("a**", "missing argument to repetition operator")]
    [InlineData("*a", "missing argument to repetition operator")]
    [InlineData("(?=a)", "invalid or unsupported Perl syntax")]
    [InlineData("(?<!a)b", "invalid named capture")]
    [InlineData("(?>a)", "invalid or unsupported Perl syntax")]
    [InlineData(@"(a)\1", "invalid escape sequence")]
    [InlineData(@"a\Z", "invalid escape sequence")]
    [InlineData(@"\", "trailing backslash")]
    [InlineData("a{1001}", "invalid repeat count")]
    [InlineData("(a{100}){100}", "invalid repeat count")]
    [InlineData("a{3,2}", "invalid repeat count")]
    [InlineData("[z-a]", "invalid character class range")]
    [InlineData("(?P<a>x)(?P<a>y)", "duplicate capture group name")]
    public void Refuses_what_RE2_refuses(string pattern, string problem) =>
        Assert.Contains(problem, Assert.Throws<FormatException>(() => new Re2Regex(pattern)).Message);

    [Theory]
    [InlineData("f(.*)", "foo", "ch${1}-ch${1}", "choo-choo")]
    [InlineData("f(.*)", "foo", "$1x", "")]
    [InlineData("f(.*)", "foo", "$$1 ${1}x $0", "$1 oox foo")]
    [InlineData("(?P<x>f)(o)", "fo", "$1-$2-$x-${x}-$y", "f-o-f-f-")]
    [InlineData("(a)", "a", "$ ${1 $01 $-", "$ ${1  $-")]
    [InlineData("(a)|b", "b", "[$1]", "[]")]
    public void Expands_as_Go_does(string pattern, string text, string template, string expected)
    {
        var regex = new Re2Regex(pattern);

        Assert.Equal(expected, regex.Expand(template, regex.Match(text)!));
    }

    [Theory]
    [InlineData("(a*)*b")]
    [InlineData("(a|aa)+c")]
    [InlineData("(.*)(.*)(.*)(.*)(.*)[^a]")]
    [InlineData("(x+x+)+y|a{500}a{500}$")]
    public void Takes_linear_time_whatever_the_expression(string pattern)
    {
        var clock = Stopwatch.StartNew();

        new Re2Regex(pattern).IsMatch(new string('a', 20_000));

        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 5);
    }

    [Fact]
    public void Any_pattern_is_compiled_or_refused() =>
        Gen.Select(Gen.String[@"ab.*+?(){}[]|^$\dwsQEpxAzLPn<>:-=!i,0129"], Gen.String["ab01"], Gen.String["a$1{}n"]).Sample((pattern, text, template) =>
        {
            try
            {
                var regex = new Re2Regex(pattern);
                if (regex.Match(text) is { } match)
                {
                    regex.Expand(template, match);
                }
            }
            catch (FormatException)
            {
                return;
            }
        }, iter: 3_000);
}
