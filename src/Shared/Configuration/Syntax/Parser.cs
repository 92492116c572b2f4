using System.Collections.Immutable;

namespace ActorProfiler.Configuration.Syntax;

/// <summary>Reads the statements of a configuration file and reports all its errors, not only the first.</summary>
/// <remarks>
/// <code>
/// body      = [ statement { terminator statement } ]
/// statement = name "=" expression | name { "." name } [ label ] "{" body "}"
/// </code>
/// After an error it goes on at the next statement.
/// </remarks>
public sealed class Parser
{
    /// <summary>Deepest nesting of blocks.</summary>
    private const int BlockDepthLimit = 32;

    private readonly SourceFile _file;
    private readonly TokenReader _reader;
    private readonly Diagnostics _diagnostics;
    private readonly ExpressionParser _expressions;

    private Parser(SourceFile file, Diagnostics diagnostics)
    {
        _file = file;
        _diagnostics = diagnostics;
        _reader = new TokenReader(file, new Scanner(file, diagnostics).Scan(), diagnostics);
        _expressions = new ExpressionParser(file, _reader, diagnostics);
    }

    /// <summary>Parses a file. What comes back is only whole when <paramref name="diagnostics"/> has got no error.</summary>
    public static Body Parse(SourceFile file, Diagnostics diagnostics)
    {
        var parser = new Parser(file, diagnostics);
        return parser.ParseBody(depth: 0);
    }

    /// <summary>Parses one expression that is the whole text; null when it has an error.</summary>
    public static Expression? ParseExpression(SourceFile file, Diagnostics diagnostics)
    {
        var parser = new Parser(file, diagnostics);
        try
        {
            var expression = parser._expressions.Parse();
            parser._reader.TryTake(TokenKind.Terminator);
            parser._reader.Expect(TokenKind.EndOfFile, "EOF");
            return diagnostics.HasErrors ? null : expression;
        }
        catch (SyntaxException)
        {
            return null; // reported where it was thrown
        }
    }

    private Body ParseBody(int depth)
    {
        var start = _reader.Current.Span.Start;
        var statements = ImmutableArray.CreateBuilder<Statement>();
        while (true)
        {
            while (_reader.TryTake(TokenKind.Terminator))
            {
            }

            if (_reader.Current.Kind == TokenKind.EndOfFile || (depth > 0 && _reader.Current.Is("}")))
            {
                return new Body(new Span(start, _reader.Current.Span.Start), statements.ToImmutable());
            }

            if (ParseStatement(depth) is { } statement)
            {
                statements.Add(statement);
            }
        }
    }

    private Statement? ParseStatement(int depth)
    {
        var nesting = _reader.Nesting;
        try
        {
            var statement = ParseStatementBody(depth);
            if (!_reader.Current.Is("}") && _reader.Current.Kind != TokenKind.EndOfFile)
            {
                _reader.Expect(TokenKind.Terminator, "TERMINATOR");
            }

            return statement;
        }
        catch (SyntaxException)
        {
            _reader.SkipStatement(nesting);
            return null;
        }
    }

    private Statement ParseStatementBody(int depth)
    {
        var first = _reader.Expect(TokenKind.Identifier, "block or attribute name");
        var (name, end) = (first.Text, first.Span.End);
        while (_reader.TryTake("."))
        {
            var part = _reader.Expect(TokenKind.Identifier, "IDENT");
            (name, end) = ($"{name}.{part.Text}", part.Span.End);
        }

        var label = ParseLabel();
        end = label?.Span.End ?? end;
        var header = new Span(first.Span.Start, end);
        if (_reader.Current.Is("="))
        {
            return ParseAttribute(first, header, name, label);
        }

        if (depth >= BlockDepthLimit)
        {
            throw _reader.Error(header, $"blocks are nested deeper than {BlockDepthLimit}");
        }

        return ParseBlock(header, name, label, depth);
    }

    private Token? ParseLabel()
    {
        if (_reader.Current.Kind is TokenKind.Identifier)
        {
            throw _reader.Error(_reader.Current.Span, "expected block label, got IDENT; a label stands in double quotes");
        }

        return _reader.Current.Kind == TokenKind.String ? _reader.Take() : null;
    }

    private AttributeStatement ParseAttribute(Token first, Span header, string name, Token? label)
    {
        if (label is not null)
        {
            _diagnostics.Error(_file, label.Value.Span, "attribute names may not have labels");
        }
        else if (name != first.Text)
        {
            _diagnostics.Error(_file, header, "attribute names may only consist of a single identifier with no \".\"");
        }

        var equals = _reader.Take();
        var value = _expressions.Parse();
        if (_reader.Current.Is("{") || _reader.Current.Kind == TokenKind.String)
        {
            throw _reader.Error(value.Span, "cannot use a block as an expression");
        }

        return new AttributeStatement(Span.Between(first.Span, value.Span), new Identifier(first.Span, first.Text), equals.Span.Start, value);
    }

    private BlockStatement ParseBlock(Span header, string name, Token? label, int depth)
    {
        var labelText = label is { } token ? LabelText(token) : "";
        var open = _reader.Expect("{");
        var body = ParseBody(depth + 1);
        var close = _reader.Expect("}");
        return new BlockStatement(new Span(header.Start, close.Span.End), header, name, labelText, open.Span.Start, body, close.Span.Start);
    }

    private string LabelText(Token token)
    {
        var text = StringText.Unquote(token.Text, out _);
        if (token.Text[0] != '"')
        {
            _diagnostics.Error(_file, token.Span, $"expected block label to be a double quoted string, but got {token.Text}");
        }
        else if (text.Length > 0 && !IsIdentifier(text))
        {
            _diagnostics.Error(_file, token.Span, $"expected block label to be a valid identifier, but got {StringText.Quote(text)}");
        }

        return text;
    }

    private static bool IsIdentifier(string text) =>
        (text[0] == '_' || char.IsLetter(text[0])) && text.All(letter => letter == '_' || char.IsLetterOrDigit(letter));
}
