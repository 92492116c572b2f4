using System.Collections.Immutable;
using ActorProfiler.Configuration.Syntax;

namespace ActorProfiler.Configuration.Evaluation;

/// <summary>One call of a function: its arguments, and the means to say which of them is wrong.</summary>
/// <param name="Function">Name of the function.</param>
/// <param name="Span">Where the call stands.</param>
/// <param name="Written">The arguments' text in the file, by index.</param>
public sealed record Call(string Function, Span Span, ImmutableArray<Value> Arguments, ImmutableArray<Expression> Expressions, Func<Expression, string> Written)
{
    /// <summary>Longest text a function may make.</summary>
    public const int TextLimit = 4 << 20;

    /// <summary>Longest list a function may make.</summary>
    public const int ItemsLimit = 200_000;

    public int Count => Arguments.Length;

    public void ExpectCount(int least, int most)
    {
        if (Count < least || Count > most)
        {
            var expected = least == most ? $"{least}" : most == int.MaxValue ? $"at least {least}" : $"{least} to {most}";
            throw Error($"expected {expected} arguments, got {Count}");
        }
    }

    /// <summary>An argument as text; numbers are written out, secrets refused.</summary>
    public string Text(int index) => Text(Arguments[index], index);

    public string Text(Value value, int index) => value switch
    {
        StringValue text => text.Value,
        NumberValue number => number.Text,
        SecretValue => throw new EvaluationException(Expressions[index].Span, $"{Written(Expressions[index])}: secrets may not be converted into strings; convert.nonsensitive does it on purpose"),
        _ => throw Mismatch(index, "string", value),
    };

    public ImmutableArray<Value> Items(int index) => Arguments[index] is ListValue list ? list.Items : throw Mismatch(index, "array", Arguments[index]);

    public ObjectValue Object(Value value, int index) => value as ObjectValue ?? throw Mismatch(index, "object", value);

    public bool Bool(int index) => Arguments[index] is BoolValue value ? value.Value : throw Mismatch(index, "bool", Arguments[index]);

    /// <exception cref="EvaluationException">The text is longer than <see cref="TextLimit"/>.</exception>
    public Value Result(string text) => text.Length <= TextLimit ? Value.Of(text) : throw Error($"the result has {text.Length} characters, more than {TextLimit}");

    /// <exception cref="EvaluationException">The list is longer than <see cref="ItemsLimit"/>.</exception>
    public Value Result(IReadOnlyCollection<Value> items) => items.Count <= ItemsLimit ? Value.Of(items) : throw Error($"the result has {items.Count} items, more than {ItemsLimit}");

    public EvaluationException Error(string message) => new(Span, $"{Function}: {message}");

    private EvaluationException Mismatch(int index, string expected, Value value) =>
        new(Expressions[index].Span, $"{Written(Expressions[index])} should be {expected}, got {value.TypeName}");
}
