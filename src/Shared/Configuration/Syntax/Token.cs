namespace ActorProfiler.Configuration.Syntax;

public enum TokenKind
{
    EndOfFile,
    Comment,
    Terminator,
    Identifier,
    Number,
    Float,
    String,
    Bool,
    Null,
    Symbol,
}

/// <summary>One word of the language.</summary>
/// <param name="Text">As written; of a terminator the newline, or "" before a closing brace or the end of the file.</param>
public readonly record struct Token(TokenKind Kind, Span Span, string Text)
{
    /// <summary>As messages call it.</summary>
    public string Description => Kind switch
    {
        TokenKind.EndOfFile => "EOF",
        TokenKind.Terminator => "TERMINATOR",
        TokenKind.Identifier => "IDENT",
        TokenKind.Symbol => Text,
        _ => Kind.ToString().ToUpperInvariant(),
    };

    public bool Is(string symbol) => Kind == TokenKind.Symbol && Text == symbol;

    /// <summary>Whether a newline after it ends a statement.</summary>
    public bool EndsStatement => Kind is TokenKind.Identifier or TokenKind.Number or TokenKind.Float or TokenKind.String or TokenKind.Bool or TokenKind.Null
        || (Kind == TokenKind.Symbol && Text is "}" or ")" or "]");
}
