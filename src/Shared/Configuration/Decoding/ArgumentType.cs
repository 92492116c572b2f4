using ActorProfiler.Configuration.Evaluation;

namespace ActorProfiler.Configuration.Decoding;

/// <summary>What values an argument takes: its name and range for the reader, its decoding for the program.</summary>
/// <param name="Name">As the documentation shows it: <c>duration</c>, <c>list(string)</c>.</param>
/// <param name="Decode">Throws <see cref="DecodeException"/> when the value does not fit.</param>
/// <param name="Write">The value as it would stand in a file.</param>
public sealed record ArgumentType<T>(string Name, Func<Value, T> Decode, Func<T, string> Write)
{
    /// <summary>Which of the values are allowed, in words; "" when all are.</summary>
    public string Range { get; init; } = "";

    /// <summary>The values must not be shown in messages.</summary>
    public bool IsSecret { get; init; }
}
