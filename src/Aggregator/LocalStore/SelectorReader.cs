using System.Text;

namespace ActorProfiler.Aggregator.LocalStore;

/// <summary>Reads the tokens of a selector from left to right, skipping blanks before each.</summary>
internal struct SelectorReader(string text)
{
    private int _position;

    public LabelMatcher Matcher()
    {
        var name = Name();
        var operation = Operator();
        var value = Quoted();
        return operation switch
        {
            "=~" => LabelMatcher.Match(name, value, negated: false),
            "!~" => LabelMatcher.Match(name, value, negated: true),
            _ => new LabelMatcher(name, value, operation == "!=", Pattern: null),
        };
    }

    public bool TryTake(string token)
    {
        SkipBlanks();
        if (!text.AsSpan(_position).StartsWith(token, StringComparison.Ordinal))
        {
            return false;
        }

        _position += token.Length;
        return true;
    }

    public void Expect(string token)
    {
        if (!TryTake(token))
        {
            throw Malformed($"expected {token}");
        }
    }

    public void ExpectEnd()
    {
        SkipBlanks();
        if (_position < text.Length)
        {
            throw Malformed("expected the end");
        }
    }

    private string Name()
    {
        SkipBlanks();
        var start = _position;
        while (_position < text.Length && (char.IsAsciiLetterOrDigit(text[_position]) || text[_position] is '_' or '.'))
        {
            _position++;
        }

        return _position > start ? text[start.._position] : throw Malformed("expected a label name");
    }

    private string Operator()
    {
        foreach (var operation in (ReadOnlySpan<string>)["=~", "!~", "!=", "="])
        {
            if (TryTake(operation))
            {
                return operation;
            }
        }

        throw Malformed("expected one of = != =~ !~");
    }

    private string Quoted()
    {
        Expect("\"");
        var value = new StringBuilder();
        for (; _position < text.Length; _position++)
        {
            var character = text[_position];
            if (character == '"')
            {
                _position++;
                return value.ToString();
            }

            value.Append(character == '\\' ? Escaped() : character);
        }

        throw Malformed("expected a closing quote");
    }

    private char Escaped()
    {
        _position++;
        return _position < text.Length
            ? text[_position] switch
            {
                'n' => '\n',
                '"' => '"',
                '\\' => '\\',
                _ => throw Malformed("expected \\\\, \\\" or \\n"),
            }
            : throw Malformed("expected \\\\, \\\" or \\n");
    }

    private void SkipBlanks()
    {
        while (_position < text.Length && char.IsWhiteSpace(text[_position]))
        {
            _position++;
        }
    }

    private readonly FormatException Malformed(string expected) => new($"selector {text}: {expected} at character {_position + 1}");
}
