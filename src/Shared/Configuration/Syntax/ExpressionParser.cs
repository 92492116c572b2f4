using System.Collections.Immutable;

namespace ActorProfiler.Configuration.Syntax;

/// <summary>Reads expressions: precedence climbing, then what follows a primary.</summary>
/// <remarks>
/// From loosest to tightest: <c>||</c>, <c>&amp;&amp;</c>, comparisons, <c>+ -</c>, <c>* / %</c>, <c>^</c> (right associative), unary <c>! -</c>,
/// then access, index and call.
/// </remarks>
internal sealed class ExpressionParser(SourceFile file, TokenReader reader, Diagnostics diagnostics)
{
    /// <summary>Tallest expression: keeps every recursion over the tree far from the end of the stack.</summary>
    private const int HeightLimit = 200;

    private const int PowerPrecedence = 6;

    private int _depth;

    public Expression Parse() => Nested(() => ParseBinary(minimum: 1));

    private static int Precedence(Token token) => token.Kind != TokenKind.Symbol ? 0 : token.Text switch
    {
        "||" => 1,
        "&&" => 2,
        "==" or "!=" or "<" or "<=" or ">" or ">=" => 3,
        "+" or "-" => 4,
        "*" or "/" or "%" => 5,
        "^" => PowerPrecedence,
        _ => 0,
    };

    private Expression ParseBinary(int minimum)
    {
        var left = ParseUnary();
        while (Precedence(reader.Current) is var precedence && precedence >= minimum)
        {
            var operation = reader.Take().Text;
            var right = Nested(() => ParseBinary(precedence == PowerPrecedence ? precedence : precedence + 1));
            left = Bounded(new BinaryExpression(Span.Between(left.Span, right.Span), left, operation, right));
        }

        return left;
    }

    private Expression ParseUnary()
    {
        if (!reader.Current.Is("!") && !reader.Current.Is("-"))
        {
            return ParseOperand();
        }

        var operation = reader.Take();
        var operand = Nested(ParseUnary);
        return Bounded(new UnaryExpression(Span.Between(operation.Span, operand.Span), operation.Text, operand));
    }

    private Expression ParseOperand()
    {
        var operand = ParsePrimary();
        while (true)
        {
            if (reader.TryTake("."))
            {
                var name = reader.Expect(TokenKind.Identifier, "IDENT");
                operand = new AccessExpression(Span.Between(operand.Span, name.Span), operand, new Identifier(name.Span, name.Text));
            }
            else if (reader.TryTake("["))
            {
                var index = Parse();
                operand = new IndexExpression(Span.Between(operand.Span, reader.Expect("]").Span), operand, index);
            }
            else if (reader.Current.Is("("))
            {
                var open = reader.Take();
                var arguments = ParseItems(")");
                operand = new CallExpression(Span.Between(operand.Span, Span.Between(open.Span, arguments.End)), operand, arguments.Items);
            }
            else
            {
                return operand;
            }

            operand = Bounded(operand);
        }
    }

    private Expression ParsePrimary()
    {
        var token = reader.Current;
        switch (token.Kind)
        {
            case TokenKind.Identifier:
                reader.Take();
                return new IdentifierExpression(token.Span, token.Text);
            case TokenKind.String:
                reader.Take();
                return new LiteralExpression(token.Span, token.Kind, Unquoted(token));
            case TokenKind.Number or TokenKind.Float or TokenKind.Bool or TokenKind.Null:
                reader.Take();
                return new LiteralExpression(token.Span, token.Kind, token.Text);
        }

        return token.Is("(") ? ParseParentheses()
            : token.Is("[") ? ParseList()
            : token.Is("{") ? ParseObject()
            : throw reader.Unexpected("expression");
    }

    private string Unquoted(Token token)
    {
        var text = StringText.Unquote(token.Text, out var problem);
        if (problem is { } found)
        {
            diagnostics.Error(file, new Span(token.Span.Start + found.At, token.Span.Start + found.At + 2), found.Message);
        }

        return text;
    }

    private ParenthesizedExpression ParseParentheses()
    {
        var open = reader.Take();
        var inner = Parse();
        return Bounded(new ParenthesizedExpression(Span.Between(open.Span, reader.Expect(")").Span), inner));
    }

    private ListExpression ParseList()
    {
        var open = reader.Take();
        var (items, end) = ParseItems("]");
        return Bounded(new ListExpression(Span.Between(open.Span, end), items));
    }

    private (ImmutableArray<Expression> Items, Span End) ParseItems(string close)
    {
        var items = ImmutableArray.CreateBuilder<Expression>();
        while (!reader.Current.Is(close))
        {
            items.Add(Parse());
            if (!TakeComma(close, "expression"))
            {
                break;
            }
        }

        return (items.ToImmutable(), reader.Expect(close).Span);
    }

    private ObjectExpression ParseObject()
    {
        var open = reader.Take();
        var fields = ImmutableArray.CreateBuilder<Field>();
        while (!reader.Current.Is("}"))
        {
            fields.Add(ParseField());
            if (!TakeComma("}", "field"))
            {
                break;
            }
        }

        return Bounded(new ObjectExpression(Span.Between(open.Span, reader.Expect("}").Span), fields.ToImmutable()));
    }

    private Field ParseField()
    {
        var name = reader.Current;
        if (name.Kind is not (TokenKind.Identifier or TokenKind.String))
        {
            throw reader.Unexpected("field name (string or identifier)");
        }

        reader.Take();
        var equals = reader.Expect("=");
        var value = Parse();
        var text = name.Kind == TokenKind.String ? Unquoted(name) : name.Text;
        return new Field(Span.Between(name.Span, value.Span), text, name.Span, equals.Span.Start, value);
    }

    /// <summary>Takes the comma between items; false at the end of the list. A newline needs one before it, and is forgiven after saying so.</summary>
    private bool TakeComma(string close, string what)
    {
        if (reader.TryTake(","))
        {
            return true;
        }

        if (reader.Current.Kind == TokenKind.Terminator)
        {
            diagnostics.Error(file, reader.Current.Span, $"missing ',' in {what} list");
            reader.Take();
            return !reader.Current.Is(close);
        }

        return reader.Current.Is(close) ? false : throw reader.Unexpected($", or {close}");
    }

    private T Nested<T>(Func<T> parse)
    {
        if (++_depth > HeightLimit)
        {
            _depth = 0;
            throw reader.Error(reader.Current.Span, $"the expression is nested deeper than {HeightLimit}");
        }

        try
        {
            return parse();
        }
        finally
        {
            _depth = Math.Max(0, _depth - 1);
        }
    }

    private T Bounded<T>(T expression)
        where T : Expression =>
        expression.Height <= HeightLimit ? expression : throw reader.Error(expression.Span, $"the expression is nested deeper than {HeightLimit}");
}
