namespace ActorProfiler.Configuration.Syntax;

/// <summary>Aligns equal signs, then trailing comments, over runs of neighbouring lines.</summary>
internal static class LineAligner
{
    public static void Align(List<FormattedLine> lines)
    {
        ForEachRun(lines, line => line.EqualsAt >= 0, line => line.IsMultiline || line.Opens, run =>
        {
            var column = run.Max(line => line.EqualsAt);
            run.ForEach(line => line.MoveEquals(column));
        });
        ForEachRun(lines, line => line.Comment.Length > 0 && line.Text.Length > 0 && !line.Opens && !line.IsMultiline, _ => false, run =>
        {
            var column = run.Max(line => line.Text.Length);
            run.ForEach(line => line.CommentPadding = column - line.Text.Length);
        });
    }

    /// <summary>A run is lines that qualify, one after the other without a blank line and equally indented; a line that ends one is its last.</summary>
    private static void ForEachRun(List<FormattedLine> lines, Func<FormattedLine, bool> qualifies, Func<FormattedLine, bool> ends, Action<List<FormattedLine>> align)
    {
        var run = new List<FormattedLine>();
        foreach (var line in lines)
        {
            var belongs = qualifies(line);
            if (run.Count > 0 && (!belongs || line.BlankBefore || line.Indent != run[^1].Indent || ends(run[^1])))
            {
                align(run);
                run = [];
            }

            if (belongs)
            {
                run.Add(line);
            }
        }

        if (run.Count > 0)
        {
            align(run);
        }
    }
}
