using ActorProfiler.Configuration.Syntax;
using CsCheck;

namespace ActorProfiler.Tests.Configuration.Syntax;

public sealed class FormatterTests
{
    [Theory]
    [InlineData("a=1", "a = 1\n")]
    [InlineData("", "")]
    [InlineData("a=30*2+5\nb=field . access*2", "a = 30 * 2 + 5\nb = field.access * 2\n")]
    [InlineData("short=1\nmuch_longer=-2", "short       = 1\nmuch_longer = -2\n")]
    [InlineData("short=1\n\n\n\nmuch_longer=2", "short = 1\n\nmuch_longer = 2\n")]
    [InlineData("short=1\n// between\nmuch_longer=2", "short = 1\n// between\nmuch_longer = 2\n")]
    [InlineData("a=1//x\nlong=22   // y", "a    = 1  //x\nlong = 22 // y\n")]
    [InlineData("empty.block \"l\"{\n\n\n}", "empty.block \"l\" { }\n")]
    [InlineData("a{b=1}", "a {\n\tb = 1\n}\n")]
    [InlineData("a {\n\n  // one\n  b { c = [1,2 , 3,] }\n\n}", "a {\n\t// one\n\tb {\n\t\tc = [1, 2, 3]\n\t}\n}\n")]
    [InlineData("a = [\n0,\n// c\n1, // d\n]", "a = [\n\t0,\n\t// c\n\t1, // d\n]\n")]
    [InlineData("a = [0, true, {\nk = 1,\n}, \"x\"]", "a = [0, true, {\n\tk = 1,\n}, \"x\"]\n")]
    [InlineData("a = f(1,\n2, 3,\n4)", "a = f(1,\n\t2, 3,\n\t4)\n")]
    [InlineData("a = f({\nk = 1,\nlong = [\n1,\n],\nlast = 3,\n})", "a = f({\n\tk    = 1,\n\tlong = [\n\t\t1,\n\t],\n\tlast = 3,\n})\n")]
    [InlineData("a = ! ( b [ 0 ] . c ( ) )", "a = !(b[0].c())\n")]
    [InlineData("b { // why\n}", "b { // why\n}\n")]
    [InlineData("b { a = `x\ny` // c\nlonger = 1 }", "b {\n\ta = `x\ny` // c\n\tlonger = 1\n}\n")]
    [InlineData("a = 1 +\n2", "a = 1 +\n\t2\n")]
    [InlineData("/* one */ a = /* two */ 1 /* three */", "/* one */ a = /* two */ 1 /* three */\n")]
    [InlineData("a=1\nb {}\nc {}", "a = 1\n\nb { }\n\nc { }\n")]
    [InlineData("b { // why\n// one\nc {}\n// two\n// three\nd {}\na = 1 // four\ne {}}", "b { // why\n\t// one\n\tc { }\n\n\t// two\n\t// three\n\td { }\n\ta = 1 // four\n\n\te { }\n}\n")]
    [InlineData("a = {b = 1, c = 2,}", "a = {b = 1, c = 2}\n")]
    public void Writes_the_canonical_form(string text, string expected) => Assert.Equal(expected, Format(text));

    [Fact]
    public void Does_not_touch_a_file_with_errors()
    {
        var diagnostics = new Diagnostics();

        Assert.Null(Formatter.Format(new SourceFile("f", "a = "), diagnostics));
        Assert.True(diagnostics.HasErrors);
    }

    [Fact]
    public void Formatting_keeps_the_meaning_and_the_comments_and_twice_is_once() =>
        Texts.File.Sample(text =>
        {
            var once = Format(text);

            Assert.Equal(Texts.Meaning(text), Texts.Meaning(once));
            Assert.Equal(Texts.Comments(text), Texts.Comments(once));
            Assert.Equal(once, Format(once));
        }, iter: 3000);

    private static string Format(string text)
    {
        var diagnostics = new Diagnostics();
        var formatted = Formatter.Format(new SourceFile("f", text), diagnostics);
        Assert.True(formatted is not null, $"{text}\n{string.Join('\n', diagnostics.All)}");
        return formatted;
    }
}
