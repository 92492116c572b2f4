using System.Globalization;

namespace ActorProfiler.Configuration.Syntax;

/// <summary>Cuts a source file into tokens, comments included, and inserts terminators as Go does.</summary>
/// <remarks>
/// A newline, or a comment that holds one, after a token that can end a statement is a terminator. Never fails:
/// a character outside the language is reported and skipped. The last token is the end of the file.
/// Language: https://grafana.com/docs/alloy/latest/get-started/configuration-syntax/
/// </remarks>
internal sealed class Scanner(SourceFile file, Diagnostics diagnostics)
{
    private static readonly string[] _symbols =
        ["||", "&&", "==", "!=", "<=", ">=", "=", "<", ">", "!", "+", "-", "*", "/", "%", "^", "{", "}", "(", ")", "[", "]", ",", "."];

    private readonly string _text = file.Text;
    private readonly List<Token> _tokens = [];
    private int _at;
    private bool _canEnd;

    public List<Token> Scan()
    {
        while (_at < _text.Length)
        {
            ScanOne();
        }

        Terminate(new Span(_at, _at));
        _tokens.Add(new Token(TokenKind.EndOfFile, new Span(_at, _at), ""));
        return _tokens;
    }

    private void ScanOne()
    {
        var letter = _text[_at];
        if (letter == '\n')
        {
            Terminate(new Span(_at, _at + 1));
            _at++;
        }
        else if (letter is ' ' or '\t' or '\r')
        {
            _at++;
        }
        else if (letter == '/' && Next() is '/' or '*')
        {
            Comment();
        }
        else if (letter == '_' || char.IsLetter(letter))
        {
            Word();
        }
        else if (char.IsAsciiDigit(letter) || (letter == '.' && char.IsAsciiDigit(Next())))
        {
            Number();
        }
        else if (letter == '"')
        {
            Quoted();
        }
        else if (letter == '`')
        {
            Raw();
        }
        else
        {
            Symbol();
        }
    }

    private char Next(int ahead = 1) => _at + ahead < _text.Length ? _text[_at + ahead] : '\0';

    private void Terminate(Span span)
    {
        if (_canEnd)
        {
            _tokens.Add(new Token(TokenKind.Terminator, span, _text[span.Start..span.End]));
            _canEnd = false;
        }
    }

    private void Add(TokenKind kind, int start)
    {
        var token = new Token(kind, new Span(start, _at), _text[start.._at]);
        _tokens.Add(token);
        _canEnd = token.EndsStatement;
    }

    private void Comment()
    {
        var start = _at;
        if (Next() == '/')
        {
            var newline = _text.IndexOf('\n', _at);
            _at = newline < 0 ? _text.Length : newline;
            AddComment(start, endsStatement: false); // the newline that follows does
            return;
        }

        var end = _text.IndexOf("*/", _at + 2, StringComparison.Ordinal);
        _at = end < 0 ? _text.Length : end + 2;
        if (end < 0)
        {
            diagnostics.Error(file, new Span(start, start + 2), "the comment is not closed; expected */");
        }

        AddComment(start, endsStatement: _text.AsSpan(start, _at - start).Contains('\n'));
    }

    private void AddComment(int start, bool endsStatement)
    {
        if (endsStatement)
        {
            Terminate(new Span(start, start));
        }

        var text = _text[start.._at];
        var trimmed = text.TrimEnd();
        _tokens.Add(new Token(TokenKind.Comment, new Span(start, start + trimmed.Length), trimmed.Replace("\r\n", "\n", StringComparison.Ordinal)));
    }

    private void Word()
    {
        var start = _at;
        while (_at < _text.Length && (_text[_at] == '_' || char.IsLetter(_text[_at]) || char.GetUnicodeCategory(_text[_at]) == UnicodeCategory.DecimalDigitNumber))
        {
            _at++;
        }

        Add(_text[start.._at] switch { "true" or "false" => TokenKind.Bool, "null" => TokenKind.Null, _ => TokenKind.Identifier }, start);
    }

    private void Number()
    {
        var start = _at;
        Digits();
        var kind = TokenKind.Number;
        if (_at < _text.Length && _text[_at] == '.')
        {
            kind = TokenKind.Float;
            _at++;
            Digits();
        }

        if (_at < _text.Length && _text[_at] is 'e' or 'E')
        {
            kind = TokenKind.Float;
            _at += Next() is '+' or '-' ? 2 : 1;
            var digits = _at;
            Digits();
            if (_at == digits)
            {
                diagnostics.Error(file, new Span(start, _at), "the exponent has no digits");
            }
        }

        Add(kind, start);
    }

    private void Digits()
    {
        while (_at < _text.Length && char.IsAsciiDigit(_text[_at]))
        {
            _at++;
        }
    }

    private void Quoted()
    {
        var start = _at++;
        while (_at < _text.Length && _text[_at] is not ('"' or '\n'))
        {
            _at += _text[_at] == '\\' && Next() is not ('\n' or '\0') ? 2 : 1;
        }

        if (_at >= _text.Length || _text[_at] == '\n')
        {
            _at = Math.Min(_at, _text.Length);
            diagnostics.Error(file, new Span(start, _at), "the string is not closed; expected \"");
        }
        else
        {
            _at++;
        }

        Add(TokenKind.String, start);
    }

    private void Raw()
    {
        var start = _at;
        var end = _text.IndexOf('`', _at + 1);
        _at = end < 0 ? _text.Length : end + 1;
        if (end < 0)
        {
            diagnostics.Error(file, new Span(start, start + 1), "the raw string is not closed; expected `");
        }

        Add(TokenKind.String, start);
    }

    private void Symbol()
    {
        var start = _at;
        var symbol = Array.Find(_symbols, symbol => string.CompareOrdinal(_text, start, symbol, 0, symbol.Length) == 0);
        if (symbol is not null)
        {
            _at += symbol.Length;
            Add(TokenKind.Symbol, start);
            return;
        }

        Illegal();
    }

    private void Illegal()
    {
        var start = _at;
        if (_text[start] == '\'')
        {
            var line = _text.IndexOf('\n', start);
            var close = _text.IndexOf('\'', start + 1);
            _at = close < 0 || (line >= 0 && close > line) ? start + 1 : close + 1;
            diagnostics.Error(file, new Span(start, _at), "illegal single-quoted string; use double quotes");
            Add(TokenKind.String, start);
            return;
        }

        _at += char.IsHighSurrogate(_text[start]) && char.IsLowSurrogate(Next()) ? 2 : 1;
        var hint = _text[start] switch
        {
            '#' => "; comments start with //",
            '&' => "; \"and\" is &&",
            '|' => "; \"or\" is ||",
            '\0' => "; the file holds a NUL",
            _ => "",
        };
        diagnostics.Error(file, new Span(start, _at), $"illegal character {StringText.Quote(_text[start.._at])}{hint}");
    }
}
