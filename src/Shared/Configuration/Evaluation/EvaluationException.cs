using ActorProfiler.Configuration.Syntax;

namespace ActorProfiler.Configuration.Evaluation;

/// <summary>An expression has no value: the user's mistake, at a place.</summary>
public sealed class EvaluationException(Span span, string message) : Exception(message)
{
    public Span Span { get; } = span;
}
