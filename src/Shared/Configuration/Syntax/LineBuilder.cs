namespace ActorProfiler.Configuration.Syntax;

/// <summary>Puts the tokens of a correct file on lines: where to break, how far to indent, where a space goes.</summary>
internal sealed class LineBuilder(SourceFile file, FormatLayout layout)
{
    private readonly List<FormattedLine> _lines = [];

    /// <summary>Open brackets, and the indent of the line each stands on.</summary>
    private readonly Stack<(Token Open, FormattedLine Line)> _open = new();

    private Token? _previous;

    public List<FormattedLine> Build(List<Token> tokens)
    {
        var words = tokens.Where(token => token.Kind is not (TokenKind.Terminator or TokenKind.EndOfFile)).ToArray();
        for (var i = 0; i < words.Length; i++)
        {
            if (!IsNeedlessComma(words, i))
            {
                Put(words[i], StartsBlock(words, i));
            }
        }

        return _lines;
    }

    private static bool IsOpen(Token token) => token.Is("{") || token.Is("[") || token.Is("(");

    private static bool IsClose(Token token) => token.Is("}") || token.Is("]") || token.Is(")");

    /// <summary>A comma before a bracket that closes on the same line.</summary>
    private bool IsNeedlessComma(Token[] words, int index) =>
        words[index].Is(",") && index + 1 < words.Length && IsClose(words[index + 1]) && LinesBetween(words[index], words[index + 1]) == 0;

    private int LinesBetween(Token left, Token right) => file.PositionOf(right.Span.Start).Line - file.PositionOf(Math.Max(left.Span.Start, left.Span.End - 1)).Line;

    /// <summary>Whether a block to be set off begins here, or the comment lines that stand right above it.</summary>
    private bool StartsBlock(Token[] words, int index)
    {
        var isOwnLine = index == 0 || LinesBetween(words[index - 1], words[index]) > 0;
        var at = index;
        while (isOwnLine && at + 1 < words.Length && words[at].Kind == TokenKind.Comment && LinesBetween(words[at], words[at + 1]) == 1)
        {
            at++;
        }

        return layout.StartsLaterBlock(words[at]);
    }

    private void Put(Token token, bool startsBlock)
    {
        var isUnderComment = _previous is { Kind: TokenKind.Comment } && _lines[^1].Text.Length == 0;
        var breaks = startsBlock && !isUnderComment ? 2 : Breaks(token);
        if (_lines.Count == 0 || breaks > 0)
        {
            _lines.Add(new FormattedLine(Indent(token), blankBefore: breaks > 1));
        }

        var line = _lines[^1];
        if (token.Kind == TokenKind.Comment && (line.Text.Length == 0 || token.Text.StartsWith("//", StringComparison.Ordinal)) && line.Comment.Length == 0)
        {
            line.Comment = token.Text;
        }
        else
        {
            MoveCommentIntoText(line);
            line.Append(Space(token), token.Text, layout.IsEquals(token));
        }

        if (IsOpen(token))
        {
            _open.Push((token, line));
            line.Opens = true;
        }
        else if (IsClose(token) && _open.TryPop(out var open))
        {
            open.Line.Opens = _open.Any(other => other.Line == open.Line);
        }

        _previous = token;
    }

    /// <summary>A block comment at the start of a line turns out to have something after it.</summary>
    private static void MoveCommentIntoText(FormattedLine line)
    {
        if (line.Comment.Length > 0)
        {
            line.Append(" ", line.Comment, isEquals: false);
            line.Comment = "";
        }
    }

    /// <summary>0: same line; 1: new line; 2: new line after a blank one.</summary>
    private int Breaks(Token token)
    {
        if (_previous is not { } previous)
        {
            return 0;
        }

        var written = Math.Clamp(LinesBetween(previous, token), 0, 2);
        if (previous.Kind == TokenKind.Comment && previous.Text.StartsWith("//", StringComparison.Ordinal))
        {
            return IsClose(token) ? 1 : Math.Max(1, written);
        }

        if (layout.IsBlockBrace(previous) && previous.Is("{"))
        {
            return layout.IsBlockBrace(token) || (token.Kind == TokenKind.Comment && written == 0) ? 0 : 1;
        }

        if (layout.IsBlockBrace(token) && token.Is("}"))
        {
            return 1;
        }

        if (layout.StartsStatement(token))
        {
            return previous.Kind == TokenKind.Comment ? written : Math.Max(1, written);
        }

        var joined = token.Kind != TokenKind.Comment && (previous.Is(".") || token.Is(".") || layout.IsEquals(previous) || layout.IsEquals(token) || layout.IsUnary(previous));
        return joined ? 0 : IsOpen(previous) || IsClose(token) ? Math.Min(1, written) : written;
    }

    private int Indent(Token token)
    {
        if (_open.Count == 0)
        {
            return layout.IsInsideAttribute(token.Span.Start) ? 1 : 0;
        }

        var (open, line) = _open.Peek();
        if (IsClose(token))
        {
            return line.Indent;
        }

        var continues = layout.IsBlockBrace(open) && layout.IsInsideAttribute(token.Span.Start);
        return line.Indent + (continues ? 2 : 1);
    }

    private string Space(Token token)
    {
        var previous = _previous ?? token;
        var tight = token.Is(",") || token.Is(".") || previous.Is(".") || layout.IsUnary(previous)
            || (IsOpen(previous) && !layout.IsBlockBrace(previous)) || (IsClose(token) && !layout.IsBlockBrace(token))
            || ((token.Is("(") || token.Is("[")) && IsOperandEnd(previous));
        return tight ? "" : " ";
    }

    /// <summary>A bracket after it is a call or an index, not a new expression.</summary>
    private static bool IsOperandEnd(Token token) => token.EndsStatement;
}
