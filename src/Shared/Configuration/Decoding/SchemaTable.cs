using System.Text;

namespace ActorProfiler.Configuration.Decoding;

/// <summary>The reference of a block as the documentation holds it, so that a test can compare the two.</summary>
public static class SchemaTable
{
    /// <summary>A Markdown table: name, type, default, allowed, meaning. One row for each argument and block.</summary>
    public static string Markdown<T>(BlockSchema<T> schema) => Markdown(schema.Describe());

    /// <summary>The same of arguments that are described already.</summary>
    public static string Markdown(IEnumerable<ArgumentDescription> arguments)
    {
        var table = new StringBuilder("| name | type | default | allowed | meaning |\n|---|---|---|---|---|\n");
        foreach (var argument in arguments)
        {
            var preset = argument.IsRequired ? "required" : argument.Default.Length > 0 ? $"`{argument.Default}`" : "";
            table.Append("| ").AppendJoin(" | ", $"`{argument.Path}`", argument.Type, Cell(preset), Cell(argument.Range), Cell(argument.Doc)).Append(" |\n");
        }

        return table.ToString();
    }

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);
}
