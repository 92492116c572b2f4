using ActorProfiler.Configuration.Evaluation;
using ActorProfiler.Configuration.Evaluation.Functions;
using ActorProfiler.Configuration.Syntax;
using CsCheck;

namespace ActorProfiler.Tests.Configuration.Evaluation;

public sealed class EvaluatorTests
{
    private static readonly Scope _scope = new(
        new Dictionary<string, Value>
        {
            ["secret"] = new SecretValue("hunter2"),
            ["other_secret"] = new SecretValue("hunter3"),
            ["thing"] = new CapsuleValue("Receiver", new object()),
        },
        StandardLibrary.Create(name => name == "TEST_VAR" ? "Hello!" : null, "1.2.3"));

    [Theory]
    [InlineData("1 + 2 * 3", "7")]
    [InlineData("7 / 2", "3")]
    [InlineData("7 / 2.0", "3.5")]
    [InlineData("-7 % 3", "-1")]
    [InlineData("2 ^ 3 ^ 2", "512")]
    [InlineData("2 ^ 0.5 == 2 ^ (1 / 2.0)", "true")]
    [InlineData("2 ^ -1", "0.5")]
    [InlineData("3 == 3.0", "true")]
    [InlineData("3 == \"3\"", "false")]
    [InlineData("null == null", "true")]
    [InlineData("[1, {a = 2}] == [1.0, {\"a\" = 2}]", "true")]
    [InlineData("[1] != [2]", "true")]
    [InlineData("\"a\" < \"b\" && 1 <= 1.0", "true")]
    [InlineData("\"a\" + \"b\"", "\"ab\"")]
    [InlineData("!true || false", "false")]
    [InlineData("{a = [1, 2]}.a[1]", "2")]
    [InlineData("{a = 1}[\"b\"]", "null")]
    [InlineData("9223372036854775808", "9223372036854775808")]
    [InlineData("thing == thing", "true")]
    public void Computes(string expression, string json) => Assert.Equal(json, Json(expression));

    [Theory]
    [InlineData("env(\"TEST_VAR\") + sys.env(\"NONE\")", "\"Hello!\"")]
    [InlineData("concat([true, \"foo\"], [], [false, 1])", "[true,\"foo\",false,1]")]
    [InlineData("coalesce(null, \"\", 0, false, [], {}, 5)", "5")]
    [InlineData("coalesce([], null)", "null")]
    [InlineData("coalesce()", "null")]
    [InlineData("json_decode(`{\"foo\": [1, null, \"x\"]}`)", "{\"foo\":[1,null,\"x\"]}")]
    [InlineData("encoding.from_yaml(\"a: [0, 1.5, null, 'x', ~, yes]\\nb: &x {c: true}\\nd: *x\")", "{\"a\":[0,1.5,null,\"x\",null,\"yes\"],\"b\":{\"c\":true},\"d\":{\"c\":true}}")]
    [InlineData("base64_decode(\"Zm9vYmFyMTIzIT8kKiYoKSctPUB+\")", "\"foobar123!?$*&()'-=@~\"")]
    [InlineData("encoding.from_URLbase64(\"c3RyaW5nMTIzIT8kKiYoKSctPUB-\")", "\"string123!?$*&()'-=@~\"")]
    [InlineData("encoding.to_URLbase64(\"string123!?$*&()'-=@~\")", "\"c3RyaW5nMTIzIT8kKiYoKSctPUB-\"")]
    [InlineData("encoding.to_base64(\"string123!?$*&()'-=@~\")", "\"c3RyaW5nMTIzIT8kKiYoKSctPUB+\"")]
    [InlineData("encoding.url_encode(\"string123!?$*&()'-=@~ \")", "\"string123%21%3F%24%2A%26%28%29%27-%3D%40~+\"")]
    [InlineData("encoding.url_decode(\"a%21+b%C3%A9\")", "\"a! bé\"")]
    [InlineData("encoding.to_json({b = 1, a = [true, null]})", "\"{\\\"a\\\":[true,null],\\\"b\\\":1}\"")]
    [InlineData("json_path(`{\"a\": \"b\"}`, \".a\")[0]", "\"b\"")]
    [InlineData("json_path(`{\"a\": \"b\"}`, \".nonexists\")", "[]")]
    [InlineData("json_path(`[{\"name\": \"Department\",\"value\": \"IT\"},{\"name\":\"Other\",\"value\":\"1\"}]`, \"[?(@.name == \\\"Department\\\")].value\")", "[\"IT\"]")]
    [InlineData("json_path(`{\"a\": {\"b\": [1,2,3]}, \"b\": 4}`, \"$..b\")", "[4,[1,2,3]]")]
    [InlineData("json_path(`[1,2,3]`, \"[1:]\")", "[2,3]")]
    [InlineData("split(\"/aaa/bbb\", \"/\")", "[\"\",\"aaa\",\"bbb\"]")]
    [InlineData("string.join([0, 0.5, \"x\"], \", \")", "\"0, 0.5, x\"")]
    [InlineData("replace(\"Hello World\", \" World\", \"!\")", "\"Hello!\"")]
    [InlineData("trim(\"?!hello?!\", \"!?\")", "\"hello\"")]
    [InlineData("trim_prefix(\"helloworld\", \"hello\") + trim_suffix(\"helloworld\", \"world\")", "\"worldhello\"")]
    [InlineData("to_lower(to_upper(trim_space(\"  String \\n\")))", "\"string\"")]
    [InlineData("format(\"%s %d %5.2f|%-4s|%04d|%q|%v|%x|%%\", \"a\", 7, 3.14159, \"b\", 42, \"c\", true, 255)", "\"a 7  3.14|b   |0042|\\\"c\\\"|true|ff|%\"")]
    [InlineData("format(\"%#v\", 1)", "\"1\"")]
    [InlineData("file.path_join(\"this/is\", \"a/../path\")", "\"this/is/path\"")]
    [InlineData("file.path_join()", "\"\"")]
    [InlineData("convert.nonsensitive(secret)", "\"hunter2\"")]
    [InlineData("constants.os + constants.version", "\"linux1.2.3\"")]
    [InlineData("array.combine_maps([{a = 1, b = 2.2}], [{a = 1, b = \"3.3\"}], [\"a\"])", "[{\"a\":1,\"b\":\"3.3\"}]")]
    [InlineData("array.combine_maps([{a = 1}, {d = \"x\"}], [{a = 2}], [\"a\"], true)", "[{\"a\":1},{\"d\":\"x\"}]")]
    [InlineData("array.group_by([{n = \"a\", k = \"1\"}, {n = \"b\"}, {n = \"c\", k = \"1\"}], \"k\", true)", "[{\"items\":[{\"k\":\"1\",\"n\":\"a\"},{\"k\":\"1\",\"n\":\"c\"}],\"k\":\"1\"}]")]
    public void Calls_the_standard_library(string expression, string json) => Assert.Equal(json, Json(expression));

    [Theory]
    [InlineData("missing", "identifier \"missing\" does not exist")]
    [InlineData("concaf()", "identifier \"concaf\" does not exist; did you mean \"concat\"?")]
    [InlineData("{abc = 1}.abd", "field \"abd\" does not exist; did you mean \"abc\"?")]
    [InlineData("[1][1]", "index 1 is out of range of array with length 1")]
    [InlineData("1 + \"a\"", "\"a\" should be number, got string")]
    [InlineData("true + 1", "true should be one of [number string] for binop +, got bool")]
    [InlineData("secret - 1", "secret should be one of [number] for binop -, got secret")]
    [InlineData("1 / 0", "0 divide by zero error")]
    [InlineData("9223372036854775807 + 1", "the result does not fit a 64-bit integer; write one side as a float")]
    [InlineData("false && missing", "identifier \"missing\" does not exist")]
    [InlineData("-\"a\"", "\"a\" should be number, got string")]
    [InlineData("1()", "1 should be function, got number")]
    [InlineData("format(\"%s\", secret)", "secret: secrets may not be converted into strings; convert.nonsensitive does it on purpose")]
    [InlineData("format(\"%d\", \"a\")", "format: %d cannot show string")]
    [InlineData("format(\"%d\")", "format: %d has no argument; the format needs more than 0")]
    [InlineData("encoding.to_json({a = secret})", "encoding.to_json: secret cannot be written as JSON")]
    [InlineData("to_lower()", "to_lower: expected 1 arguments, got 0")]
    [InlineData("array.combine_maps([{a = 1}], \"a\", [\"a\"])", "\"a\" should be array, got string")]
    [InlineData("array.combine_maps([], [], [])", "array.combine_maps: merge conditions must not be empty")]
    [InlineData("base64_decode(\"?\")", "base64_decode: The input is not a valid Base-64 string")]
    public void Says_why_there_is_no_value(string expression, string message) =>
        Assert.StartsWith(message, Assert.Throws<EvaluationException>(() => Evaluate(expression)).Message);

    [Fact]
    public void A_secret_spreads_and_never_shows()
    {
        var sum = Evaluate("\"Bearer \" + secret");

        Assert.Equal("Bearer hunter2", Assert.IsType<SecretValue>(sum).Reveal());
        Assert.Equal("(secret)", sum.ToString());
        Assert.DoesNotContain("hunter", $"{sum} {Evaluate("[{a = secret}]")}");
        Assert.Equal("true", Json("secret == secret"));
        Assert.Equal("false", Json("secret == other_secret"));
        Assert.Equal("false", Json("secret == \"hunter2\""));
    }

    [Fact]
    public void A_vast_value_is_refused()
    {
        var doubling = string.Concat(Enumerable.Repeat("concat(x, x, x, x)", 1));
        var list = Value.Of(Enumerable.Repeat(Value.Of(1), 100_000));
        var scope = new Scope(new Dictionary<string, Value> { ["x"] = list, ["text"] = Value.Of(new string('a', 3 << 20)) }, _scope);

        foreach (var expression in new[] { doubling, "text + text", "replace(text, \"\", text)", "join([text, text], \"\")", "format(\"%s%s\", text, text)" })
        {
            var file = new SourceFile("f", expression);
            var parsed = Parser.ParseExpression(file, new Diagnostics())!;
            Assert.Contains("more than", Assert.Throws<EvaluationException>(() => new Evaluator(file, scope).Evaluate(parsed)).Message);
        }
    }

    [Theory]
    [InlineData("yaml_decode(\"{0}\")", "[", 10_000)]
    [InlineData("json_decode(\"{0}\")", "[", 10_000)]
    [InlineData("json_path(\"[]\", \"{0}\")", "[?(@", 10_000)]
    public void A_bottomless_text_is_refused(string expression, string nested, int times) =>
        Assert.Throws<EvaluationException>(() => Evaluate(expression.Replace("{0}", string.Concat(Enumerable.Repeat(nested, times)), StringComparison.Ordinal)));

    [Fact]
    public void Aliases_do_not_grow_without_bound()
    {
        var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\\n" + string.Concat(Enumerable.Range(1, 9).Select(i => $"a{i}: &a{i} [*a{i - 1}, *a{i - 1}, *a{i - 1}, *a{i - 1}, *a{i - 1}, *a{i - 1}, *a{i - 1}, *a{i - 1}]\\n"));

        Assert.Contains("nodes", Assert.Throws<EvaluationException>(() => Evaluate($"yaml_decode(\"{bomb}\")")).Message);
    }

    [Fact]
    public void Finds_what_an_expression_refers_to()
    {
        var file = new SourceFile("f", "[discovery.process.all.targets, f(a.b)[c], {k = discovery.docker.d[0].x}]");

        Assert.Equal(["discovery.process.all.targets", "f", "a.b", "c", "discovery.docker.d"], References.In(Parser.ParseExpression(file, new Diagnostics())!).Select(reference => reference.Text));
    }

    [Fact]
    public void Any_expression_has_a_value_or_a_reason()
    {
        var name = Gen.OneOf(_scope.Names.Order().Concat(["string.format", "array.concat", "encoding.from_yaml", "string.replace"]).Select(Gen.Const).ToArray());
        var literal = Gen.OneOf(Gen.String["%sd[]{}.*?(@):-0 1a\n&"].Select(StringText.Quote), Gen.Int[-3, 9].Select(i => $"{i}"), Gen.Const("[1, \"a\"]"), Gen.Const("{a = 1}"), Gen.Const("secret"));
        Gen.Select(name, literal.Array[0, 4], Gen.OneOf(Gen.Const("+"), Gen.Const("^"), Gen.Const("<"), Gen.Const("=="), Gen.Const("%")), literal).Sample((function, arguments, operation, right) =>
        {
            try
            {
                Evaluate($"{function}({string.Join(", ", arguments)}) {operation} {right}");
            }
            catch (EvaluationException)
            {
                return;
            }
        }, iter: 20_000);
    }

    private static string Json(string expression) => JsonValues.Write(Evaluate(expression));

    private static Value Evaluate(string expression)
    {
        var file = new SourceFile("f", expression);
        var diagnostics = new Diagnostics();
        var parsed = Parser.ParseExpression(file, diagnostics);
        Assert.True(parsed is not null, string.Join('\n', diagnostics.All));
        return new Evaluator(file, _scope).Evaluate(parsed);
    }
}
