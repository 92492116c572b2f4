using System.Collections.Immutable;
using ActorProfiler.Configuration.Evaluation;

namespace ActorProfiler.Configuration.Decoding;

/// <summary>A value does not fit its argument: the user's mistake.</summary>
/// <param name="problem">What follows the name of the value: <c>should be number, got string</c>.</param>
public sealed class DecodeException(string problem) : Exception(problem)
{
    /// <summary>Where inside the argument's value: names of fields and indexes of items, from the outside.</summary>
    public ImmutableList<object> Path { get; private init; } = [];

    public string Problem => Message;

    public static DecodeException Mismatch(string expected, Value got) => new($"should be {expected}, got {got.TypeName}");

    /// <summary>The same problem seen from the value that holds this one.</summary>
    public DecodeException Under(object step) => new(Problem) { Path = Path.Insert(0, step) };
}
