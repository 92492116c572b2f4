using System.Text;

namespace ActorProfiler.Configuration.Syntax;

/// <summary>Writes a file in its canonical form: only blanks, line breaks and optional commas change, never the meaning.</summary>
/// <remarks>
/// Tabs indent; statements stand on lines of their own; equal signs and trailing comments of neighbouring lines are aligned;
/// more than one blank line becomes one; comments stay where they are. Formatting twice gives the same as once.
/// </remarks>
public static class Formatter
{
    /// <summary>The formatted text, which ends with a newline unless it is empty; null when the file has errors.</summary>
    public static string? Format(SourceFile file, Diagnostics diagnostics)
    {
        var body = Parser.Parse(file, diagnostics);
        if (diagnostics.HasErrors)
        {
            return null;
        }

        var layout = new FormatLayout(body);
        var lines = new LineBuilder(file, layout).Build(new Scanner(file, diagnostics).Scan());
        LineAligner.Align(lines);
        var text = new StringBuilder();
        foreach (var line in lines)
        {
            text.Append(line.BlankBefore ? "\n" : "").Append('\t', line.Indent).Append(line.Text);
            text.Append(line.Comment.Length > 0 ? $"{(line.Text.Length > 0 ? new string(' ', 1 + line.CommentPadding) : "")}{line.Comment}" : "").Append('\n');
        }

        return text.ToString();
    }
}
