using System.Globalization;

namespace ActorProfiler.Collector.Symbols.Demangling;

/// <summary>Parses mangled C++ names. Source: Itanium C++ ABI §5.1.</summary>
/// <remarks>
/// Own code rather than the C++ library's <c>__cxa_demangle</c>: that has no bound, and 300 bytes of symbol can make it write petabytes.
/// Here depth is bounded, nodes are at most as many as the input has bytes, and <see cref="ItaniumPrinter"/> bounds the text.
/// </remarks>
internal sealed partial class ItaniumParser
{
    private const int DepthLimit = 192;

    private readonly string _text;
    private readonly List<ItaniumNode> _substitutions = [];
    private readonly List<ItaniumNode> _forwards = [];
    private readonly List<int> _forwardIndexes = [];
    private List<ItaniumNode> _templateArguments = [];
    private bool _allowForward;
    private bool _inLambda;
    private int _at;
    private int _depth;

    private ItaniumParser(string text) => _text = text;

    /// <summary>The tree of a whole symbol that begins with <c>_Z</c>; a compiler's suffix such as <c>.isra.0</c> is left out.</summary>
    /// <exception cref="FormatException">Not a mangled name, or deeper than the bound.</exception>
    public static ItaniumNode Parse(string symbol)
    {
        var parser = new ItaniumParser(symbol) { _at = 2 };
        var node = parser.Encoding();
        return parser._at == symbol.Length || symbol[parser._at] == '.' ? node : throw parser.Unexpected();
    }

    private char Next => _at < _text.Length ? _text[_at] : '\0';

    private char After => _at + 1 < _text.Length ? _text[_at + 1] : '\0';

    private bool AtEndOfEncoding => Next is '\0' or 'E' or '.' or '_';

    private FormatException Unexpected() => new($"cannot demangle {_text}: unexpected '{Next}' at {_at}");

    private bool Skip(char wanted)
    {
        if (Next != wanted)
        {
            return false;
        }

        _at++;
        return true;
    }

    private bool Skip(string wanted)
    {
        if (string.CompareOrdinal(_text, _at, wanted, 0, wanted.Length) != 0)
        {
            return false;
        }

        _at += wanted.Length;
        return true;
    }

    private void Expect(char wanted)
    {
        if (!Skip(wanted))
        {
            throw Unexpected();
        }
    }

    private T Deeper<T>(Func<T> parse)
    {
        if (++_depth > DepthLimit)
        {
            throw new FormatException($"cannot demangle {_text}: nested deeper than {DepthLimit}");
        }

        var result = parse();
        _depth--;
        return result;
    }

    private int Number()
    {
        var start = _at;
        while (char.IsAsciiDigit(Next))
        {
            _at++;
        }

        return int.TryParse(_text.AsSpan(start, _at - start), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw Unexpected();
    }

    /// <summary>The number before '_', plus one; 0 when there is none: the ABI's sequence numbers.</summary>
    private int Sequence(int numberBase)
    {
        var value = 0;
        var any = false;
        for (; !Skip('_'); _at++, any = true)
        {
            var digit = char.IsAsciiDigit(Next) ? Next - '0' : numberBase == 36 && char.IsAsciiLetterUpper(Next) ? Next - 'A' + 10 : throw Unexpected();
            value = value > 100_000 ? throw Unexpected() : value * numberBase + digit;
        }

        return any ? value + 1 : 0;
    }

    private ItaniumNode Encoding() => Deeper(() =>
    {
        if (Next is 'G' or 'T')
        {
            return SpecialName();
        }

        var outer = _templateArguments;
        var firstForward = _forwards.Count;
        var state = new NameState();
        var name = Name(state);
        ResolveForwards(firstForward);
        if (AtEndOfEncoding)
        {
            _templateArguments = outer;
            return name;
        }

        var returns = state is { EndsWithArguments: true, IsConstructorOrConversion: false } ? Type() : null;
        var parameters = Parameters(() => AtEndOfEncoding);
        _templateArguments = outer;
        return new ItaniumNode(ItaniumKind.Function) { First = returns, Second = name, Items = parameters, Text = state.Qualifiers };
    });

    private List<ItaniumNode> Parameters(Func<bool> isEnd)
    {
        var parameters = new List<ItaniumNode>();
        if (Skip('v'))
        {
            return parameters;
        }

        do
        {
            parameters.Add(Type());
        }
        while (!isEnd());
        return parameters;
    }

    private void ResolveForwards(int first)
    {
        for (var i = _forwards.Count - 1; i >= first; i--)
        {
            if (_forwardIndexes[i] >= _templateArguments.Count)
            {
                throw new FormatException($"cannot demangle {_text}: template parameter {_forwardIndexes[i]} of {_templateArguments.Count}");
            }

            _forwards[i].First = _templateArguments[_forwardIndexes[i]];
            _forwards.RemoveAt(i);
            _forwardIndexes.RemoveAt(i);
        }
    }

    /// <summary>What a name says about the function that has it.</summary>
    private sealed class NameState
    {
        public bool EndsWithArguments { get; set; }

        public bool IsConstructorOrConversion { get; set; }

        public string Qualifiers { get; set; } = "";
    }

    private ItaniumNode SpecialName()
    {
        foreach (var (code, prefix) in _typeSpecials)
        {
            if (Skip(code))
            {
                return new ItaniumNode(ItaniumKind.Special) { Text = prefix, First = code == "TA" ? TemplateArgument() : Type() };
            }
        }

        foreach (var (code, prefix) in _nameSpecials)
        {
            if (Skip(code))
            {
                return new ItaniumNode(ItaniumKind.Special) { Text = prefix, First = Name(new NameState()) };
            }
        }

        if (Skip("TC"))
        {
            var derived = Type();
            Number();
            Expect('_');
            return new ItaniumNode(ItaniumKind.Special) { Text = "construction vtable for ", First = Type(), Second = derived };
        }

        if (Skip("GR"))
        {
            var name = Name(new NameState());
            var number = AtEndOfEncoding && Next != '_' ? 0 : Sequence(36);
            return new ItaniumNode(ItaniumKind.Special) { Text = $"reference temporary #{number} for ", First = name };
        }

        return Thunk();
    }

    private ItaniumNode Thunk()
    {
        if (Skip("GTt") || Skip("GTn"))
        {
            var isSafe = _text[_at - 1] == 't';
            return new ItaniumNode(ItaniumKind.Special) { Text = isSafe ? "transaction clone for " : "non-transaction clone for ", First = Encoding() };
        }

        if (Skip("Tc"))
        {
            CallOffset();
            CallOffset();
            return new ItaniumNode(ItaniumKind.Special) { Text = "covariant return thunk to ", First = Encoding() };
        }

        Expect('T');
        var isVirtual = Next == 'v';
        CallOffset();
        return new ItaniumNode(ItaniumKind.Special) { Text = isVirtual ? "virtual thunk to " : "non-virtual thunk to ", First = Encoding() };
    }

    private void CallOffset()
    {
        var isVirtual = Next == 'v';
        if (!isVirtual && Next != 'h')
        {
            throw Unexpected();
        }

        _at++;
        SignedNumber();
        Expect('_');
        if (isVirtual)
        {
            SignedNumber();
            Expect('_');
        }
    }

    private void SignedNumber()
    {
        Skip('n');
        Number();
    }

    private static readonly (string Code, string Prefix)[] _typeSpecials =
    [
        ("TV", "vtable for "), ("TT", "VTT for "), ("TI", "typeinfo for "), ("TS", "typeinfo name for "), ("TA", "template parameter object for "),
        ("TF", "typeinfo fn for "), ("TJ", "java Class for "),
    ];

    private static readonly (string Code, string Prefix)[] _nameSpecials =
        [("GV", "guard variable for "), ("TW", "TLS wrapper function for "), ("TH", "TLS init function for ")];
}
