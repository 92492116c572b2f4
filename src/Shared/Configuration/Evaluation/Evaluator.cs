using System.Collections.Immutable;
using System.Globalization;
using ActorProfiler.Configuration.Syntax;

namespace ActorProfiler.Configuration.Evaluation;

/// <summary>Evaluates the expressions of one file.</summary>
/// <remarks>
/// Bounded: an expression has at most <see cref="StepsLimit"/> steps, the parser bounds its depth, and each function the size of its result.
/// With <c>hidesTexts</c>, for values that are secret, messages do not quote strings of the file. Both sides of <c>&amp;&amp;</c> and <c>||</c> are evaluated, as in the language this follows.
/// </remarks>
public sealed class Evaluator(SourceFile file, Scope scope, bool hidesTexts = false)
{
    public const int StepsLimit = 1_000_000;

    private const int WrittenLimit = 60;

    private int _steps;

    /// <exception cref="EvaluationException">It has no value; the message says why.</exception>
    public Value Evaluate(Expression expression)
    {
        if (++_steps > StepsLimit)
        {
            throw new EvaluationException(expression.Span, $"the file takes more than {StepsLimit} steps to evaluate");
        }

        return expression switch
        {
            LiteralExpression literal => Literal(literal),
            IdentifierExpression name => scope.Find(name.Name)
                ?? throw new EvaluationException(name.Span, $"identifier \"{name.Name}\" does not exist{Spelling.DidYouMean(name.Name, scope.Names)}"),
            ParenthesizedExpression parentheses => Evaluate(parentheses.Inner),
            ListExpression list => Value.Of(list.Items.Select(Evaluate).ToArray()),
            ObjectExpression value => Object(value),
            AccessExpression access => Access(access),
            IndexExpression index => Index(index),
            CallExpression call => Invoke(call),
            UnaryExpression unary => Operators.Unary(unary, Evaluate(unary.Operand), Written),
            BinaryExpression binary => Operators.Binary(binary, Evaluate(binary.Left), Evaluate(binary.Right), Written),
            _ => throw new InvalidOperationException($"no evaluation for {expression.GetType().Name}"),
        };
    }

    /// <summary>The text of an expression in the file, shortened.</summary>
    public string Written(Expression expression)
    {
        var text = file.Text[expression.Span.Start..expression.Span.End].ReplaceLineEndings(" ");
        if (hidesTexts && text.AsSpan().ContainsAny('"', '`'))
        {
            return "the expression";
        }

        return text.Length <= WrittenLimit ? text : string.Concat(text.AsSpan(0, WrittenLimit), "…");
    }

    private static Value Literal(LiteralExpression literal) => literal.Kind switch
    {
        TokenKind.String => Value.Of(literal.Text),
        TokenKind.Bool => Value.Of(literal.Text == "true"),
        TokenKind.Null => Value.Null,
        TokenKind.Number when long.TryParse(literal.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var integer) => Value.Of(integer),
        _ => Value.Of(double.Parse(literal.Text, NumberStyles.Float, CultureInfo.InvariantCulture)),
    };

    private ObjectValue Object(ObjectExpression expression)
    {
        var fields = ImmutableSortedDictionary.CreateBuilder<string, Value>(StringComparer.Ordinal);
        foreach (var field in expression.Fields)
        {
            fields[field.Name] = Evaluate(field.Value);
        }

        return new ObjectValue(fields.ToImmutable());
    }

    private Value Access(AccessExpression access)
    {
        var target = Evaluate(access.Target);
        if (target is not ObjectValue value)
        {
            throw new EvaluationException(access.Span, $"cannot access field \"{access.Name.Name}\" on value of type {target.TypeName}");
        }

        return value.Fields.TryGetValue(access.Name.Name, out var field) ? field
            : throw new EvaluationException(access.Name.Span, $"field \"{access.Name.Name}\" does not exist{Spelling.DidYouMean(access.Name.Name, value.Fields.Keys)}");
    }

    private Value Index(IndexExpression expression)
    {
        switch (Evaluate(expression.Target), Evaluate(expression.Index))
        {
            case (ListValue list, IntegerValue index):
                return index.Value >= 0 && index.Value < list.Items.Length ? list.Items[(int)index.Value]
                    : throw new EvaluationException(expression.Index.Span, $"index {index.Value} is out of range of array with length {list.Items.Length}");
            case (ObjectValue value, StringValue name):
                return value.Fields.GetValueOrDefault(name.Value, Value.Null);
            case (ListValue, var index):
                throw new EvaluationException(expression.Index.Span, $"{Written(expression.Index)} should be a whole number, got {index.TypeName}");
            case (ObjectValue, var index):
                throw new EvaluationException(expression.Index.Span, $"{Written(expression.Index)} should be string, got {index.TypeName}");
            case var (target, _):
                throw new EvaluationException(expression.Target.Span, $"{Written(expression.Target)} should be array or object to take an index, got {target.TypeName}");
        }
    }

    private Value Invoke(CallExpression call)
    {
        var target = Evaluate(call.Function);
        if (target is not FunctionValue function)
        {
            throw new EvaluationException(call.Function.Span, $"{Written(call.Function)} should be function, got {target.TypeName}");
        }

        return function.Invoke(new Call(function.Name, call.Span, [.. call.Arguments.Select(Evaluate)], call.Arguments, Written));
    }
}
