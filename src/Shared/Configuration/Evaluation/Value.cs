using System.Collections.Immutable;
using System.Globalization;
using ActorProfiler.Labels;

namespace ActorProfiler.Configuration.Evaluation;

/// <summary>What an expression evaluates to. Immutable.</summary>
/// <remarks>A number is an integer or a float as it was written; the two compare as numbers.</remarks>
public abstract record Value
{
    /// <summary>Name of its type in messages.</summary>
    public abstract string TypeName { get; }

    /// <summary>Empty text, list or object, zero, false or null: what <c>coalesce</c> passes over.</summary>
    public virtual bool IsEmpty => false;

    public static readonly Value Null = new NullValue();

    public static Value Of(bool value) => new BoolValue(value);

    public static Value Of(long value) => new IntegerValue(value);

    public static Value Of(double value) => new FloatValue(value);

    public static Value Of(string value) => new StringValue(value);

    public static Value Of(IEnumerable<Value> items) => new ListValue([.. items]);

    public static Value Of(IEnumerable<string> items) => Of(items.Select(Of));

    public static Value Of(IEnumerable<KeyValuePair<string, Value>> fields) => new ObjectValue(fields.ToImmutableSortedDictionary(StringComparer.Ordinal));

    /// <summary>A target: an object whose fields are texts.</summary>
    public static Value Of(LabelSet labels) => Of(labels.Select(pair => KeyValuePair.Create(pair.Name, Of(pair.Value))));

    /// <summary>Whether two values are the same; values of different types never are. Functions are the same when they are one.</summary>
    public static bool AreEqual(Value left, Value right) => (left, right) switch
    {
        (NumberValue one, NumberValue other) => one.CompareTo(other) == 0,
        (ListValue one, ListValue other) => one.Items.Length == other.Items.Length && one.Items.Zip(other.Items).All(pair => AreEqual(pair.First, pair.Second)),
        (ObjectValue one, ObjectValue other) => one.Fields.Count == other.Fields.Count
            && one.Fields.All(field => other.Fields.TryGetValue(field.Key, out var value) && AreEqual(field.Value, value)),
        (FunctionValue or CapsuleValue, _) => ReferenceEquals(left, right),
        _ => left.Equals(right),
    };
}

public sealed record NullValue : Value
{
    public override string TypeName => "null";

    public override bool IsEmpty => true;
}

public sealed record BoolValue(bool Value) : Value
{
    public override string TypeName => "bool";

    public override bool IsEmpty => !Value;
}

public abstract record NumberValue : Value
{
    public sealed override string TypeName => "number";

    public abstract double AsDouble { get; }

    /// <summary>As text: shortest form, decimal point.</summary>
    public abstract string Text { get; }

    public int CompareTo(NumberValue other) => (this, other) switch
    {
        (IntegerValue left, IntegerValue right) => left.Value.CompareTo(right.Value),
        _ => AsDouble.CompareTo(other.AsDouble),
    };
}

public sealed record IntegerValue(long Value) : NumberValue
{
    public override bool IsEmpty => Value == 0;

    public override double AsDouble => Value;

    public override string Text => Value.ToString(CultureInfo.InvariantCulture);
}

public sealed record FloatValue(double Value) : NumberValue
{
    public override bool IsEmpty => Value == 0;

    public override double AsDouble => Value;

    public override string Text => Math.Abs(Value) is >= 1e15 and < 1e21
        ? Value.ToString("F0", CultureInfo.InvariantCulture)
        : Value.ToString("R", CultureInfo.InvariantCulture);
}

public sealed record StringValue(string Value) : Value
{
    public override string TypeName => "string";

    public override bool IsEmpty => Value.Length == 0;
}

public sealed record ListValue(ImmutableArray<Value> Items) : Value
{
    public override string TypeName => "array";

    public override bool IsEmpty => Items.IsEmpty;
}

public sealed record ObjectValue(ImmutableSortedDictionary<string, Value> Fields) : Value
{
    public override string TypeName => "object";

    public override bool IsEmpty => Fields.IsEmpty;
}

/// <param name="Name">As the user calls it.</param>
public sealed record FunctionValue(string Name, Func<Call, Value> Invoke) : Value
{
    public override string TypeName => "function";
}

/// <summary>A thing of the program that expressions pass on without looking inside, such as a receiver of profiles.</summary>
/// <param name="Kind">What sort of thing, in messages.</param>
public sealed record CapsuleValue(string Kind, object Content) : Value
{
    public override string TypeName => $"capsule(\"{Kind}\")";
}
