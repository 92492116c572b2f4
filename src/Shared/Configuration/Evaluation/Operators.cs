using ActorProfiler.Configuration.Syntax;

namespace ActorProfiler.Configuration.Evaluation;

/// <summary>What the operators of the language do.</summary>
/// <remarks>
/// Two integers give an integer, otherwise numbers give a float; an integer result that does not fit is an error.
/// <c>==</c> takes any two values and is false between types. A secret added to text or a secret is a secret.
/// </remarks>
internal static class Operators
{
    public static Value Unary(UnaryExpression expression, Value operand, Func<Expression, string> written) => (expression.Operator, operand) switch
    {
        ("!", BoolValue value) => Value.Of(!value.Value),
        ("-", IntegerValue value) => Value.Of(Checked(expression.Span, () => checked(-value.Value))),
        ("-", FloatValue value) => Value.Of(-value.Value),
        _ => throw new EvaluationException(expression.Operand.Span, $"{written(expression.Operand)} should be {(expression.Operator == "!" ? "bool" : "number")}, got {operand.TypeName}"),
    };

    public static Value Binary(BinaryExpression expression, Value left, Value right, Func<Expression, string> written)
    {
        var operation = expression.Operator;
        if (operation is "==" or "!=")
        {
            return Value.Of(Value.AreEqual(left, right) == (operation == "=="));
        }

        if (operation == "+" && (left is SecretValue || right is SecretValue) && Joined(left) is { } start && Joined(right) is { } end)
        {
            return new SecretValue(start + end);
        }

        Expect(expression.Left, left);
        Expect(expression.Right, right);
        return (left, right) switch
        {
            (BoolValue one, BoolValue other) => Value.Of(operation == "&&" ? one.Value && other.Value : one.Value || other.Value),
            (StringValue one, StringValue other) => Text(expression, one.Value, other.Value),
            (NumberValue one, NumberValue other) => Number(expression, one, other, written),
            _ => throw new EvaluationException(expression.Right.Span, $"{written(expression.Right)} should be {left.TypeName}, got {right.TypeName}"),
        };

        void Expect(Expression side, Value value)
        {
            var allowed = Allowed(operation);
            if (Array.IndexOf(allowed, value.TypeName) < 0)
            {
                throw new EvaluationException(side.Span, $"{written(side)} should be one of [{string.Join(' ', allowed)}] for binop {operation}, got {value.TypeName}");
            }
        }
    }

    private static string? Joined(Value value) => value switch
    {
        SecretValue secret => secret.Reveal(),
        StringValue text => text.Value,
        _ => null,
    };

    private static string[] Allowed(string operation) => operation switch
    {
        "&&" or "||" => ["bool"],
        "+" => ["number", "string"],
        "<" or "<=" or ">" or ">=" => ["number", "string"],
        _ => ["number"],
    };

    private static Value Text(BinaryExpression expression, string left, string right)
    {
        if (expression.Operator != "+")
        {
            return Ordered(expression.Operator, string.CompareOrdinal(left, right));
        }

        return left.Length + right.Length <= Call.TextLimit
            ? Value.Of(left + right)
            : throw new EvaluationException(expression.Span, $"the text would have more than {Call.TextLimit} characters");
    }

    private static Value Ordered(string operation, int order) => Value.Of(operation switch
    {
        "<" => order < 0,
        "<=" => order <= 0,
        ">" => order > 0,
        _ => order >= 0,
    });

    private static Value Number(BinaryExpression expression, NumberValue left, NumberValue right, Func<Expression, string> written)
    {
        var operation = expression.Operator;
        if (operation[0] is '<' or '>')
        {
            return Ordered(operation, left.CompareTo(right));
        }

        if (operation is "/" or "%" && right.AsDouble == 0)
        {
            throw new EvaluationException(expression.Right.Span, $"{written(expression.Right)} divide by zero error");
        }

        if (left is IntegerValue one && right is IntegerValue other && !(operation == "^" && other.Value < 0))
        {
            return Value.Of(Checked(expression.Span, () => Integers(operation, one.Value, other.Value)));
        }

        var (x, y) = (left.AsDouble, right.AsDouble);
        return Value.Of(operation switch { "+" => x + y, "-" => x - y, "*" => x * y, "/" => x / y, "%" => x % y, _ => Math.Pow(x, y) });
    }

    private static long Integers(string operation, long left, long right) => operation switch
    {
        "+" => checked(left + right),
        "-" => checked(left - right),
        "*" => checked(left * right),
        "/" => checked(left / right),
        "%" => right == -1 ? 0 : left % right,
        _ => Power(left, right),
    };

    /// <summary>By squaring, so that a large exponent ends soon: in overflow, or in 0, 1 or -1.</summary>
    private static long Power(long number, long exponent)
    {
        var result = 1L;
        for (; exponent > 0; exponent >>= 1)
        {
            result = (exponent & 1) == 1 ? checked(result * number) : result;
            number = exponent > 1 ? checked(number * number) : number;
        }

        return result;
    }

    private static long Checked(Span span, Func<long> compute)
    {
        try
        {
            return compute();
        }
        catch (OverflowException)
        {
            throw new EvaluationException(span, "the result does not fit a 64-bit integer; write one side as a float");
        }
    }
}
