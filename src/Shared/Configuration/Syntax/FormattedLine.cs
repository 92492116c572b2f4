using System.Text;

namespace ActorProfiler.Configuration.Syntax;

/// <summary>A line of the formatted file in the making.</summary>
internal sealed class FormattedLine(int indent, bool blankBefore)
{
    private readonly StringBuilder _text = new();

    public int Indent { get; } = indent;

    public bool BlankBefore { get; } = blankBefore;

    public string Text => _text.ToString();

    /// <summary>Where the first equals sign of an attribute or field stands in the text; -1 when there is none.</summary>
    public int EqualsAt { get; private set; } = -1;

    /// <summary>The comment at its end, or all of it; "" when there is none.</summary>
    public string Comment { get; set; } = "";

    /// <summary>Spaces before the comment besides the one that is always there.</summary>
    public int CommentPadding { get; set; }

    /// <summary>Whether a bracket opened on it is still open at its end.</summary>
    public bool Opens { get; set; }

    public bool IsMultiline => _text.ToString().Contains('\n', StringComparison.Ordinal) || Comment.Contains('\n', StringComparison.Ordinal);

    public void Append(string space, string word, bool isEquals)
    {
        if (_text.Length > 0)
        {
            _text.Append(space);
        }

        if (isEquals && EqualsAt < 0)
        {
            EqualsAt = _text.Length;
        }

        _text.Append(word);
    }

    /// <summary>Moves the equals sign to a later column.</summary>
    public void MoveEquals(int column)
    {
        _text.Insert(EqualsAt, " ", column - EqualsAt);
        EqualsAt = column;
    }
}
