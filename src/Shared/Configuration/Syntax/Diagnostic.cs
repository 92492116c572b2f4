using System.Text;

namespace ActorProfiler.Configuration.Syntax;

public enum Severity
{
    Warning,
    Error,
}

/// <summary>Something wrong with a configuration, and where.</summary>
/// <param name="Message">What is wrong and, where it is known, what to write instead.</param>
public sealed record Diagnostic(SourceFile File, Span Span, string Message, Severity Severity = Severity.Error)
{
    private const int LineLengthLimit = 160;

    public Position Position => File.PositionOf(Span.Start);

    /// <summary><c>file:line:column: message</c></summary>
    public override string ToString() => $"{File.Name}:{Position.Line}:{Position.Column}: {(Severity == Severity.Warning ? "warning: " : "")}{Message}";

    /// <summary>The message, the line it is about with the one before, and carets under the place.</summary>
    public string Render()
    {
        var (number, column) = (Position.Line, Position.Column);
        var text = new StringBuilder().AppendLine(ToString());
        var width = number.ToString(System.Globalization.CultureInfo.InvariantCulture).Length;
        if (number > 1 && File.Line(number - 1).Trim().Length > 0)
        {
            AppendLine(text, width, number - 1);
        }

        AppendLine(text, width, number);
        var line = File.Line(number);
        var start = Math.Min(column - 1, Math.Min(line.Length, LineLengthLimit));
        var length = Math.Clamp(Span.End - Span.Start, 1, Math.Max(1, Math.Min(line.Length, LineLengthLimit) - start));
        // Tabs stay tabs, so that the carets stand under the place whatever width the terminal gives them.
        var indent = string.Concat(line.AsSpan(0, start).ToArray().Select(letter => letter == '\t' ? '\t' : ' '));
        return text.Append(' ', width).Append(" | ").Append(indent).Append('^', length).ToString();
    }

    private void AppendLine(StringBuilder text, int width, int number)
    {
        var line = SecretText.Hide(File.Line(number));
        text.Append(number.ToString(System.Globalization.CultureInfo.InvariantCulture).PadLeft(width)).Append(" | ")
            .AppendLine(line.Length > LineLengthLimit ? string.Concat(line.AsSpan(0, LineLengthLimit), "…") : line);
    }
}
