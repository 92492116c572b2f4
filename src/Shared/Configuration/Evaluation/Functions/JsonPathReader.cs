using System.Collections.Immutable;
using System.Globalization;

namespace ActorProfiler.Configuration.Evaluation.Functions;

/// <summary>Reads a path from left to right.</summary>
internal sealed class JsonPathReader(string text)
{
    private readonly ImmutableArray<Func<Value, IEnumerable<Value>>>.Builder _steps = ImmutableArray.CreateBuilder<Func<Value, IEnumerable<Value>>>();
    private int _at;

    public JsonPathQuery Read()
    {
        var query = Steps(stop: "");
        return _at == text.Length ? query : throw Malformed("expected . or [");
    }

    private JsonPathQuery Steps(string stop)
    {
        _ = Take("$") || Take("@");
        while (_at < text.Length && (stop.Length == 0 || !stop.Contains(text[_at], StringComparison.Ordinal)))
        {
            Step();
        }

        return new JsonPathQuery(_steps.ToImmutable());
    }

    private void Step()
    {
        if (Take(".."))
        {
            _steps.Add(JsonPathQuery.Descendants);
            if (_at < text.Length && text[_at] != '[')
            {
                Named();
            }
        }
        else if (Take("."))
        {
            Named();
        }
        else if (Take("["))
        {
            Bracket();
            Expect("]");
        }
        else if (_at == 0)
        {
            Named();
        }
        else
        {
            throw Malformed("expected . or [");
        }
    }

    private void Named()
    {
        if (Take("*"))
        {
            _steps.Add(JsonPathQuery.Children);
            return;
        }

        var start = _at;
        while (_at < text.Length && (char.IsLetterOrDigit(text[_at]) || text[_at] is '_' or '-'))
        {
            _at++;
        }

        var name = _at > start ? text[start.._at] : throw Malformed("expected a name");
        _steps.Add(value => JsonPathQuery.Field(value, name));
    }

    private void Bracket()
    {
        if (Take("*"))
        {
            _steps.Add(JsonPathQuery.Children);
        }
        else if (Take("?("))
        {
            var inner = new JsonPathReader(text) { _at = _at };
            var path = inner.Steps(stop: " =!<>)");
            _at = inner._at;
            var operation = Operation();
            var other = operation.Length > 0 ? Literal() : Value.Null;
            Expect(")");
            _steps.Add(value => JsonPathQuery.Filter(value, path, operation, other));
        }
        else if (_at < text.Length && text[_at] is ('\'' or '"'))
        {
            var name = ((StringValue)Literal()).Value;
            _steps.Add(value => JsonPathQuery.Field(value, name));
        }
        else
        {
            Numbers();
        }
    }

    private void Numbers()
    {
        var from = Integer();
        if (!Take(":"))
        {
            var index = from ?? throw Malformed("expected an index");
            _steps.Add(value => JsonPathQuery.Item(value, index));
            return;
        }

        var until = Integer();
        _steps.Add(value => JsonPathQuery.Slice(value, from, until));
    }

    private string Operation()
    {
        Blanks();
        return Array.Find(["==", "!=", "<=", ">=", "<", ">"], Take) ?? "";
    }

    private Value Literal()
    {
        Blanks();
        if (_at < text.Length && text[_at] is ('\'' or '"'))
        {
            var end = text.IndexOf(text[_at], _at + 1);
            var content = end > 0 ? text[(_at + 1)..end] : throw Malformed("expected a closing quote");
            _at = end + 1;
            Blanks();
            return Value.Of(content);
        }

        var start = _at;
        while (_at < text.Length && text[_at] is not (')' or ' '))
        {
            _at++;
        }

        var word = text[start.._at];
        Blanks();
        return word switch
        {
            "true" or "false" => Value.Of(word == "true"),
            "null" => Value.Null,
            _ => double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? Value.Of(number) : throw Malformed("expected a text, number, true, false or null"),
        };
    }

    private int? Integer()
    {
        var start = _at;
        while (_at < text.Length && (char.IsAsciiDigit(text[_at]) || (text[_at] == '-' && _at == start)))
        {
            _at++;
        }

        return _at == start ? null : int.TryParse(text[start.._at], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : throw Malformed("expected an index");
    }

    private void Blanks()
    {
        while (_at < text.Length && text[_at] == ' ')
        {
            _at++;
        }
    }

    private bool Take(string token)
    {
        var matches = string.CompareOrdinal(text, _at, token, 0, token.Length) == 0;
        _at += matches ? token.Length : 0;
        return matches;
    }

    private void Expect(string token)
    {
        if (!Take(token))
        {
            throw Malformed($"expected {token}");
        }
    }

    private FormatException Malformed(string expected) => new($"the path {text} is wrong at character {_at + 1}: {expected}");
}
