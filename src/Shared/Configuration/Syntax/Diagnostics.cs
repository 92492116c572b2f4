namespace ActorProfiler.Configuration.Syntax;

/// <summary>Collects what is wrong with a configuration: one error a line, the first, because the others mostly follow from it.</summary>
public sealed class Diagnostics
{
    /// <summary>Errors past this are not kept; nobody reads them.</summary>
    private const int Limit = 100;

    private readonly Dictionary<(SourceFile, int Line), Diagnostic> _errors = [];
    private readonly List<Diagnostic> _warnings = [];

    /// <summary>In the order of the text.</summary>
    public IReadOnlyList<Diagnostic> All =>
        [.. _errors.Values.Concat(_warnings).OrderBy(diagnostic => diagnostic.File.Name, StringComparer.Ordinal).ThenBy(diagnostic => diagnostic.Span.Start)];

    public bool HasErrors => _errors.Count > 0;

    public void Error(SourceFile file, Span span, string message)
    {
        var line = (file, file.PositionOf(span.Start).Line);
        var isFirst = !_errors.TryGetValue(line, out var known) || span.Start < known.Span.Start;
        if (isFirst && (known is not null || _errors.Count < Limit))
        {
            _errors[line] = new Diagnostic(file, span, message);
        }
    }

    public void Warning(SourceFile file, Span span, string message)
    {
        if (_warnings.Count < Limit)
        {
            _warnings.Add(new Diagnostic(file, span, message, Severity.Warning));
        }
    }
}
