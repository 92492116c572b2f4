using System.Globalization;
using System.Text;

namespace ActorProfiler.Collector.Symbols.Demangling;

/// <summary>Demangles names of Rust's v0 scheme. Source: Rust RFC 2603.</summary>
/// <remarks>
/// References back into the symbol make short symbols stand for text without end, so depth, steps and text are bounded.
/// Simplified names leave out generic arguments; the other modes are alike, because v0 functions have no parameters in their names.
/// </remarks>
internal sealed partial class RustV0Demangler
{
    private const int DepthLimit = 128;
    private const int StepLimit = 1 << 16;

    private readonly string _symbol;
    private readonly bool _withGenerics;
    private readonly StringBuilder _text = new();
    private int _at;
    private int _depth;
    private int _steps;
    private int _silent;
    private long _boundLifetimes;

    private RustV0Demangler(string symbol, bool withGenerics) => (_symbol, _withGenerics) = (symbol, withGenerics);

    /// <summary>The path, or null when the symbol is malformed or beyond the bounds.</summary>
    public static string? Demangle(string symbol, DemangleMode mode)
    {
        var end = symbol.IndexOf('.', StringComparison.Ordinal); // .llvm.123 and the like
        var name = end < 0 ? symbol[2..] : symbol[2..end];
        if (name.Length == 0 || !char.IsAsciiLetterUpper(name[0]) || !Ascii.IsValid(name))
        {
            return null;
        }

        try
        {
            var demangler = new RustV0Demangler(name, mode != DemangleMode.Simplified);
            demangler.Path(isValue: true);
            if (demangler._at < name.Length)
            {
                demangler._silent++;
                demangler.Path(isValue: false); // the crate that instantiated it
            }

            return demangler._at == name.Length ? demangler._text.ToString() : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private char Next => _at < _symbol.Length ? _symbol[_at] : '\0';

    private FormatException Unexpected() => new($"cannot demangle _R{_symbol}: unexpected '{Next}' at {_at}");

    private bool Skip(char wanted)
    {
        if (Next != wanted)
        {
            return false;
        }

        _at++;
        return true;
    }

    private char Take() => _at < _symbol.Length ? _symbol[_at++] : throw Unexpected();

    private void Print(string text)
    {
        if (_silent > 0)
        {
            return;
        }

        _text.Append(text);
        if (_text.Length > Demangler.OutputLimit)
        {
            throw new FormatException($"a demangled name is longer than {Demangler.OutputLimit} characters");
        }
    }

    private void Enter()
    {
        if (++_depth > DepthLimit || ++_steps > StepLimit)
        {
            throw new FormatException("a demangled name is deeper or larger than the bounds");
        }
    }

    private ulong Base62()
    {
        if (Skip('_'))
        {
            return 0;
        }

        ulong value = 0;
        for (char digit; (digit = Take()) != '_';)
        {
            var one = char.IsAsciiDigit(digit) ? digit - '0' : char.IsAsciiLetterLower(digit) ? digit - 'a' + 10
                : char.IsAsciiLetterUpper(digit) ? digit - 'A' + 36 : throw Unexpected();
            value = unchecked(value * 62 + (ulong)one); // larger numbers only tell crates apart
        }

        return value + 1;
    }

    private ulong OptionalBase62(char tag) => Skip(tag) ? Base62() + 1 : 0;

    private void Back(Action parse)
    {
        var target = Base62();
        if (target >= (ulong)_at)
        {
            throw Unexpected();
        }

        if (_silent > 0)
        {
            return; // was read once already
        }

        var after = _at;
        _at = (int)target;
        parse();
        _at = after;
    }

    private void Path(bool isValue)
    {
        Enter();
        switch (Take())
        {
            case 'C':
                OptionalBase62('s');
                Print(Identifier());
                break;
            case 'N':
                NestedPath(isValue);
                break;
            case 'M':
                SilentImplementation();
                Print("<");
                Type();
                Print(">");
                break;
            case 'X':
                SilentImplementation();
                TypeAsTrait();
                break;
            case 'Y':
                TypeAsTrait();
                break;
            case 'I':
                Path(isValue);
                Generics(isValue);
                break;
            case 'B':
                Back(() => Path(isValue));
                break;
            default:
                throw Unexpected();
        }

        _depth--;
    }

    private void SilentImplementation()
    {
        OptionalBase62('s');
        _silent++;
        Path(isValue: false);
        _silent--;
    }

    private void TypeAsTrait()
    {
        Print("<");
        Type();
        Print(" as ");
        Path(isValue: false);
        Print(">");
    }

    private void NestedPath(bool isValue)
    {
        var space = Take();
        Path(isValue);
        var disambiguator = OptionalBase62('s');
        var name = Identifier();
        if (char.IsAsciiLetterUpper(space))
        {
            var kind = space switch { 'C' => "closure", 'S' => "shim", _ => space.ToString() };
            Print(name.Length > 0 ? $"::{{{kind}:{name}#{disambiguator}}}" : $"::{{{kind}#{disambiguator}}}");
            return;
        }

        Print(name.Length > 0 ? "::" + name : "");
    }

    private void Generics(bool isValue)
    {
        _silent += _withGenerics ? 0 : 1;
        Print(isValue ? "::<" : "<");
        for (var i = 0; !Skip('E'); i++)
        {
            Print(i > 0 ? ", " : "");
            if (Skip('L'))
            {
                Lifetime(Base62());
            }
            else if (Skip('K'))
            {
                Constant(isInner: false);
            }
            else
            {
                Type();
            }
        }

        Print(">");
        _silent -= _withGenerics ? 0 : 1;
    }

    private string Identifier()
    {
        var isPunycode = Skip('u');
        var start = _at;
        while (char.IsAsciiDigit(Next) && (_at == start || _symbol[start] != '0'))
        {
            _at++; // no number begins with 0, so 00 is two empty names
        }

        if (!int.TryParse(_symbol.AsSpan(start, _at - start), NumberStyles.None, CultureInfo.InvariantCulture, out var length))
        {
            throw Unexpected();
        }

        Skip('_');
        if (length > _symbol.Length - _at)
        {
            throw Unexpected();
        }

        var name = _symbol.Substring(_at, length);
        _at += length;
        return isPunycode ? RustPunycode.Decode(name) ?? $"punycode{{{name}}}" : name;
    }
}
