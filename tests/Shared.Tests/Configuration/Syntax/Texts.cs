using System.Text;
using ActorProfiler.Configuration.Syntax;
using CsCheck;

namespace ActorProfiler.Tests.Configuration.Syntax;

/// <summary>Random configuration texts, and what they mean.</summary>
internal static class Texts
{
    private static readonly Gen<string> _name = Any("a", "bc", "targets", "_x1", "größe");

    private static readonly Gen<string> _blank = Any("", "", " ", "\t", "  ", " /* c */ ");

    private static readonly Gen<string> _literal = Any("1", "2.5", ".5", "1e3", "\"text\"", "`raw\nline`", "true", "null", "\"\\\"\\n\"");

    private static readonly Gen<string> _operator = Any("+", "-", "*", "/", "%", "^", "==", "<", "&&", "||");

    private static readonly Gen<string> _break = Any("\n", "\n", "\n\n", "\n\n\n", " // note\n", "\n// line\n", "\r\n", "\n/* many\nlines */\n");

    /// <summary>Correct files with blanks, breaks and comments everywhere they may be.</summary>
    public static Gen<string> File => Body(depth: 2);

    /// <summary>The tree without positions and optional parts.</summary>
    public static string Meaning(string text)
    {
        var diagnostics = new Diagnostics();
        var body = Parser.Parse(new SourceFile("f", text), diagnostics);
        Assert.True(!diagnostics.HasErrors, $"{text}\n{string.Join('\n', diagnostics.All)}");
        var meaning = new StringBuilder();
        Write(body, meaning);
        return meaning.ToString();
    }

    public static IEnumerable<string> Comments(string text) =>
        new Scanner(new SourceFile("f", text), new Diagnostics()).Scan().Where(token => token.Kind == TokenKind.Comment).Select(token => token.Text);

    private static Gen<string> Any(params string[] texts) => Gen.Int[0, texts.Length - 1].Select(index => texts[index]);

    private static Gen<string> Body(int depth)
    {
        var statement = depth == 0 ? Attribute : Gen.Frequency((3, Attribute), (1, Block(depth)));
        return Gen.Select(_break, Gen.Select(statement, _break, (text, end) => text + end).Array[0, 4], (start, statements) => start + string.Concat(statements));
    }

    private static Gen<string> Attribute => Gen.Select(_name, _blank, _blank, Value(3), (name, before, after, value) => $"{name}{before}={after}{value}");

    private static Gen<string> Block(int depth) =>
        Gen.Select(_name, Any("", ".b", " \"label\""), _blank, Body(depth - 1), (name, label, blank, body) => $"{name}{label}{blank}{{{body}}}");

    private static Gen<string> Value(int depth) => depth == 0 ? Gen.OneOf(_literal, _name) : Gen.Frequency(
        (4, Gen.OneOf(_literal, _name)),
        (1, Gen.Select(Value(depth - 1), _operator, Any(" ", "\n", " // c\n"), Value(depth - 1), (left, operation, blank, right) => $"{left} {operation}{blank}{right}")),
        (1, Value(depth - 1).Select(value => $"({value})")),
        (1, Value(depth - 1).Select(value => $"!{value}")),
        (1, Gen.Select(_name, Items(depth), (name, items) => $"{name}.f({items})[0]")),
        (1, Items(depth).Select(items => $"[{items}]")),
        (1, Gen.Select(Gen.Select(_name, Value(depth - 1), (name, value) => $"{name} = {value}").Array[0, 3], _break, (fields, gap) => $"{{{string.Concat(fields.Select(field => $"{field},{gap}"))}}}")));

    private static Gen<string> Items(int depth) =>
        Gen.Select(Value(depth - 1).Array[0, 3], Any("", " ", "\n", "\n\n", " // item\n"), Gen.Bool, (items, gap, trailing) =>
            gap.Contains('\n') || trailing ? gap + string.Concat(items.Select(item => $"{item},{gap}")) : string.Join($",{gap}", items));

    private static void Write(Body body, StringBuilder into)
    {
        foreach (var statement in body.Statements)
        {
            if (statement is AttributeStatement attribute)
            {
                into.Append(attribute.Name.Name).Append('=');
                Write(attribute.Value, into);
            }
            else if (statement is BlockStatement block)
            {
                into.Append(block.Name).Append(':').Append(block.Label).Append('{');
                Write(block.Body, into);
                into.Append('}');
            }

            into.Append(';');
        }
    }

    private static void Write(Expression expression, StringBuilder into)
    {
        into.Append(expression.GetType().Name[..3]).Append('(');
        switch (expression)
        {
            case LiteralExpression literal: into.Append(literal.Kind).Append(literal.Text); break;
            case IdentifierExpression name: into.Append(name.Name); break;
            case ListExpression list: list.Items.ToList().ForEach(item => Write(item, into)); break;
            case ObjectExpression value: value.Fields.ToList().ForEach(field => { into.Append(field.Name).Append('='); Write(field.Value, into); }); break;
            case CallExpression call: Write(call.Function, into); call.Arguments.ToList().ForEach(argument => Write(argument, into)); break;
            case AccessExpression access: Write(access.Target, into); into.Append(access.Name.Name); break;
            case IndexExpression index: Write(index.Target, into); Write(index.Index, into); break;
            case UnaryExpression unary: into.Append(unary.Operator); Write(unary.Operand, into); break;
            case BinaryExpression binary: Write(binary.Left, into); into.Append(binary.Operator); Write(binary.Right, into); break;
            case ParenthesizedExpression parentheses: Write(parentheses.Inner, into); break;
        }

        into.Append(')');
    }
}
