using System.Collections.Immutable;
using ActorProfiler.Configuration.Evaluation;
using ActorProfiler.Configuration.Syntax;

namespace ActorProfiler.Configuration.Decoding;

/// <summary>The file that is being decoded, the names its expressions can use, and where its errors go.</summary>
public sealed class DecodeContext(SourceFile file, Scope scope, Diagnostics diagnostics)
{
    private readonly Evaluator _evaluator = new(file, scope);
    private readonly Evaluator _secretEvaluator = new(file, scope, hidesTexts: true);

    /// <summary>Errors reported through this context so far.</summary>
    public int ErrorCount { get; private set; }

    /// <summary>Evaluates and decodes one attribute. False when it has an error, which is reported.</summary>
    public bool TryDecode<T>(AttributeStatement attribute, ArgumentType<T> type, out T value)
    {
        value = default!;
        var evaluator = type.IsSecret ? _secretEvaluator : _evaluator;
        try
        {
            value = type.Decode(evaluator.Evaluate(attribute.Value));
            return true;
        }
        catch (EvaluationException cause)
        {
            Error(cause.Span, cause.Message);
        }
        catch (DecodeException cause)
        {
            var (at, rest) = Locate(attribute.Value, cause.Path);
            Error(at.Span, type.IsSecret ? $"{attribute.Name.Name} {cause.Problem}" : $"{_evaluator.Written(at)}{rest} {cause.Problem}");
        }

        return false;
    }

    /// <summary>Whether the attribute is written as <c>null</c>: as if it were not there.</summary>
    public static bool IsNull(AttributeStatement attribute) => attribute.Value is LiteralExpression { Kind: TokenKind.Null };

    public void Error(Span span, string message)
    {
        ErrorCount++;
        diagnostics.Error(file, span, message);
    }

    public void Warning(Span span, string message) => diagnostics.Warning(file, span, message);

    /// <summary>Follows a path into lists and objects that are written out; what is left of it leads into a value from elsewhere.</summary>
    private static (Expression At, string Remainder) Locate(Expression expression, ImmutableList<object> path)
    {
        for (var step = 0; step < path.Count; step++)
        {
            var inner = (Unwrap(expression), path[step]) switch
            {
                (ListExpression list, int index) when index < list.Items.Length => list.Items[index],
                (ObjectExpression value, string name) => value.Fields.LastOrDefault(field => field.Name == name)?.Value,
                _ => null,
            };
            if (inner is null)
            {
                return (expression, string.Concat(path.Skip(step).Select(part => part is int ? $"[{part}]" : $".{part}")));
            }

            expression = inner;
        }

        return (expression, "");
    }

    private static Expression Unwrap(Expression expression) => expression is ParenthesizedExpression parentheses ? Unwrap(parentheses.Inner) : expression;
}
