namespace ActorProfiler.Configuration.Syntax;

/// <summary>Ends the reading of one statement; what was wrong is already reported.</summary>
internal sealed class SyntaxException : Exception
{
    public SyntaxException() : base("the statement has an error, which was reported")
    {
    }
}

/// <summary>Walks over the tokens of a file, without its comments.</summary>
internal sealed class TokenReader
{
    private readonly SourceFile _file;
    private readonly Diagnostics _diagnostics;
    private readonly List<Token> _tokens;
    private readonly Stack<string> _open = new();
    private int _at;

    public TokenReader(SourceFile file, List<Token> tokens, Diagnostics diagnostics)
    {
        _file = file;
        _diagnostics = diagnostics;
        _tokens = [.. tokens.Where(token => token.Kind != TokenKind.Comment)];
    }

    public Token Current => _tokens[_at];

    /// <summary>Brackets that are open here.</summary>
    public int Nesting => _open.Count;

    public Token Take()
    {
        var token = _tokens[_at];
        if (token.Is("{") || token.Is("(") || token.Is("["))
        {
            _open.Push(token.Text);
        }
        else if (token.Is("}") || token.Is(")") || token.Is("]"))
        {
            _open.TryPop(out _);
        }

        _at += token.Kind == TokenKind.EndOfFile ? 0 : 1;
        return token;
    }

    public bool TryTake(TokenKind kind) => Current.Kind == kind && Take().Kind == kind;

    public bool TryTake(string symbol) => Current.Is(symbol) && Take().Is(symbol);

    public Token Expect(TokenKind kind, string name) => Current.Kind == kind ? Take() : throw Unexpected(name);

    public Token Expect(string symbol) => Current.Is(symbol) ? Take() : throw Unexpected(symbol);

    public SyntaxException Unexpected(string expected) => Error(Current.Span, $"expected {expected}, got {Current.Description}");

    public SyntaxException Error(Span span, string message)
    {
        _diagnostics.Error(_file, span, message);
        return new SyntaxException();
    }

    /// <summary>Moves past the statement that has begun, to where the nesting is what it was before it.</summary>
    public void SkipStatement(int nesting)
    {
        var isFirst = true;
        while (Current.Kind != TokenKind.EndOfFile && (isFirst || !StartsAttribute(nesting)) && !(Nesting <= nesting && EndsStatement(nesting)))
        {
            Take();
            isFirst = false;
        }

        Restore(nesting);
    }

    private void Restore(int nesting)
    {
        while (_open.Count > nesting)
        {
            _open.Pop();
        }

        while (_open.Count < nesting)
        {
            _open.Push("{");
        }
    }

    private bool EndsStatement(int nesting) => Current.Kind == TokenKind.Terminator || (Current.Is("}") && nesting > 0);

    /// <summary>A line like <c>name =</c> is a new statement even where a terminator or a bracket is missing before it; in an object it is a field.</summary>
    private bool StartsAttribute(int nesting) =>
        (Nesting <= nesting || _open.Peek() != "{") && Current.Kind == TokenKind.Identifier && _tokens[_at + 1].Is("=")
        && _file.PositionOf(_tokens[_at - 1].Span.Start).Line < _file.PositionOf(Current.Span.Start).Line;
}
