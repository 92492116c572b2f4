using ActorProfiler.Configuration.Syntax;
using CsCheck;

namespace ActorProfiler.Tests.Configuration.Syntax;

public sealed class ParserTests
{
    [Theory]
    [InlineData("collect_interval = 3s\"", "f:1:21: expected TERMINATOR, got IDENT")]
    [InlineData("a = prometheus.remote_write \"default\" {\n  b = 1\n}\nc = 2", "f:1:5: cannot use a block as an expression")]
    [InlineData("a.b = 1", "f:1:1: attribute names may only consist of a single identifier with no \".\"")]
    [InlineData("a \"label\" = 1", "f:1:3: attribute names may not have labels")]
    [InlineData("a label {\n}", "f:1:3: expected block label, got IDENT; a label stands in double quotes")]
    [InlineData("a \"with space\" { }", "f:1:3: expected block label to be a valid identifier, but got \"with space\"")]
    [InlineData("a `b` { }", "f:1:3: expected block label to be a double quoted string, but got `b`")]
    [InlineData("a = [\n  0,\n  1\n]", "f:3:4: missing ',' in expression list")]
    [InlineData("a = {\n  b = 0\n}", "f:2:8: missing ',' in field list")]
    [InlineData("a = 1 + + 2", "f:1:9: expected expression, got +")]
    [InlineData("a = b(() )", "f:1:8: expected expression, got )")]
    [InlineData("a = b.true", "f:1:7: expected IDENT, got BOOL")]
    [InlineData("a = {\n 1337 = 1,\n}", "f:2:2: expected field name (string or identifier), got NUMBER")]
    [InlineData("# comment", "f:1:1: illegal character \"#\"; comments start with //")]
    [InlineData("a = 'x'", "f:1:5: illegal single-quoted string; use double quotes")]
    [InlineData("a = \"x\ny\"", "f:1:5: the string is not closed; expected \"")]
    [InlineData("a = \"\\'\"", "f:1:6: unknown escape sequence \\'; a backslash is written \\\\, or use a `raw string`")]
    [InlineData("a = `x", "f:1:5: the raw string is not closed; expected `")]
    [InlineData("/* x", "f:1:1: the comment is not closed; expected */")]
    [InlineData("a {", "f:1:4: expected }, got EOF")]
    [InlineData("}", "f:1:1: expected block or attribute name, got }")]
    [InlineData("a = 1e", "f:1:5: the exponent has no digits")]
    public void Says_what_is_wrong_and_where(string text, string message) => Assert.Equal(message, Errors(text).First());

    [Fact]
    public void Reports_all_errors_of_a_file_one_a_line()
    {
        var errors = Errors("a = )\n\nb {\n  c = ]\n  d = 'x' 'y'\n  e = 1\n}\nf = (1\ng = 2\nh = 3 4\n");

        Assert.Equal(["f:1:5", "f:4:7", "f:5:7", "f:8:7", "f:10:7"], errors.Select(error => string.Join(':', error.Split(':')[..3])));
    }

    [Fact]
    public void An_error_in_one_statement_leaves_the_others_readable()
    {
        var body = Parse("a = = 1\nb \"l\" {\n  c = ,\n  d = 2\n}\ne = 3", out _);

        Assert.Equal(["b", "e"], body.Statements.Select(statement => statement is BlockStatement block ? block.Name : ((AttributeStatement)statement).Name.Name));
        Assert.Single(((BlockStatement)body.Statements[0]).Body.Statements);
    }

    [Fact]
    public void Shows_the_line_with_a_caret_under_the_place()
    {
        Parse("block {\n\ta = 'x'\n}", out var diagnostics);

        Assert.Equal("f:2:6: illegal single-quoted string; use double quotes\n1 | block {\n2 | \ta = 'x'\n  | \t    ^^^", diagnostics.All.Single().Render().Replace("\r", "", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("2 ^ 3 ^ 2", "2 ^ (3 ^ 2)")]
    [InlineData("1 - 2 - 3", "(1 - 2) - 3")]
    [InlineData("1 + 2 * 3 == 7 && true || false", "(((1 + (2 * 3)) == 7) && true) || false")]
    [InlineData("-2 ^ 2", "(-2) ^ 2")]
    [InlineData("!a.b[0](1)", "!(((a.b)[0])(1))")]
    public void Binds_as_the_language_does(string left, string right)
    {
        string Shape(string text) => Texts.Meaning($"a = {text}").Replace("Par(", "", StringComparison.Ordinal).Replace(")", "", StringComparison.Ordinal);

        Assert.Equal(Shape(left), Shape(right));
    }

    [Theory]
    [InlineData("\"\\u00e9\\x41\\101\\U0001F600\\t\"", "éAA😀\t")]
    [InlineData("`a\\n\"`", "a\\n\"")]
    [InlineData("\"\"", "")]
    public void Reads_strings(string written, string text)
    {
        Assert.Equal(text, StringText.Unquote(written, out var problem));
        Assert.Null(problem);
    }

    [Theory]
    [InlineData("[")]
    [InlineData("(")]
    [InlineData("-")]
    [InlineData("1+")]
    [InlineData("a.")]
    [InlineData("{a=")]
    [InlineData("f(")]
    [InlineData("1^")]
    public void Refuses_bottomless_expressions(string nested) =>
        Assert.Contains(Errors("a = " + string.Concat(Enumerable.Repeat(nested, 100_000)) + "1"), error => error.Contains("deeper than 200"));

    [Fact]
    public void Refuses_bottomless_blocks() =>
        Assert.Contains(Errors(string.Concat(Enumerable.Repeat("a {\n", 10_000))), error => error.Contains("deeper than 32"));

    [Fact]
    public void Any_text_is_parsed_or_refused() =>
        Gen.OneOf(Gen.String, Gen.String["ab.=\"`{}[](),\n/*#'\\ 19e+-!&|^"]).Sample(text => Parse(text, out _), iter: 20_000);

    [Fact]
    public void A_correct_file_with_one_character_changed_is_parsed_or_refused() =>
        Gen.Select(Texts.File, Gen.Int[0, 10_000], Gen.Char).Sample((text, at, letter) =>
            Parse(text.Length == 0 ? text : text.Remove(at % text.Length, 1).Insert(at % text.Length, letter.ToString()), out _));

    [Fact]
    public void Refuses_bytes_that_are_not_UTF8_and_skips_a_byte_order_mark()
    {
        Assert.Throws<FormatException>(() => SourceFile.FromBytes("f", [0x61, 0xff]));
        Assert.Equal("a", SourceFile.FromBytes("f", [0xef, 0xbb, 0xbf, 0x61]).Text);
    }

    private static Body Parse(string text, out Diagnostics diagnostics) => Parser.Parse(new SourceFile("f", text), diagnostics = new Diagnostics());

    private static IEnumerable<string> Errors(string text)
    {
        Parse(text, out var diagnostics);
        return diagnostics.All.Select(error => error.ToString());
    }
}
