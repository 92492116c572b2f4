using System.Globalization;

namespace ActorProfiler.Collector.Symbols.Demangling;

/// <summary>Parses mangled C++ names. Source: Itanium C++ ABI §5.1.</summary>
/// <remarks>
/// Own code rather than the C++ library's <c>__cxa_demangle</c>: that has no bound, and 300 bytes of symbol can make it write petabytes.
/// Here depth and steps are bounded, and with them the nodes, and <see cref="ItaniumPrinter"/> bounds the text.
/// </remarks>
internal sealed partial class ItaniumParser
{
    private const int DepthLimit = 192;
    private const int StepLimit = 1 << 16;

    private readonly string _text;
    private readonly List<ItaniumNode> _substitutions = [];
    private readonly List<ItaniumNode> _forwards = [];
    private List<ItaniumNode> _templateArguments = [];
    private bool _allowForward;
    private List<ItaniumNode>? _lambdaParameters;
    private int _at;
    private int _depth;
    private int _steps;

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

    private char ThirdNext => _at + 2 < _text.Length ? _text[_at + 2] : '\0';

    private bool AtEndOfEncoding => Next is '\0' or 'E' or '.' or '_' or 'Q';

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

    private void CountStep()
    {
        if (++_steps > StepLimit)
        {
            throw new FormatException($"cannot demangle {_text}: more than {StepLimit} steps");
        }
    }

    private T Deeper<T>(Func<T> parse)
    {
        CountStep();
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

        var outer = (_templateArguments, _lambdaParameters, _allowForward);
        (_lambdaParameters, _allowForward) = (null, false);
        var firstForward = _forwards.Count;
        var state = new NameState();
        var name = Name(state);
        ResolveForwards(firstForward);
        var node = AtEndOfEncoding ? name : Function(name, state);
        Constraint();
        (_templateArguments, _lambdaParameters, _allowForward) = outer;
        return node;
    });

    private ItaniumNode Function(ItaniumNode name, NameState state)
    {
        var returns = state is { EndsWithArguments: true, IsConstructorOrConversion: false } ? Type() : null;
        var parameters = Parameters(() => AtEndOfEncoding);
        if (state.HasExplicitObject && parameters.Count > 0)
        {
            parameters[0] = Wrapped("this ", parameters[0], "");
        }

        return new ItaniumNode(ItaniumKind.Function) { First = returns, Second = name, Items = parameters, Text = state.Qualifiers };
    }

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

    /// <summary>What a name says about the function that has it.</summary>
    private sealed class NameState
    {
        public bool EndsWithArguments { get; set; }

        public bool IsConstructorOrConversion { get; set; }

        public bool HasExplicitObject { get; set; }

        public string Qualifiers { get; set; } = "";
    }
}
