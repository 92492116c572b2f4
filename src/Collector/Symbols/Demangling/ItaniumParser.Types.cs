using System.Collections.Frozen;

namespace ActorProfiler.Collector.Symbols.Demangling;

internal sealed partial class ItaniumParser
{
    private ItaniumNode Type() => Deeper(() =>
    {
        if (BuiltIn() is { } builtIn)
        {
            return builtIn;
        }

        if (Next == 'S' && After != 't')
        {
            var known = Substitution();
            if (known.Kind == ItaniumKind.Module)
            {
                var state = new NameState();
                var member = WithTemplate(UnqualifiedName(null, state, known), state);
                _substitutions.Add(member);
                return member;
            }

            if (Next != 'I')
            {
                return known;
            }

            var instance = WithArguments(known, null);
            _substitutions.Add(instance);
            return instance;
        }

        var type = CompoundType();
        _substitutions.Add(type);
        return type;
    });

    private ItaniumNode CompoundType()
    {
        switch (Next)
        {
            case 'r' or 'V' or 'K':
                return QualifiedType();
            case 'P':
                _at++;
                return ItaniumNode.With(Type(), "*");
            case 'R':
                _at++;
                return ItaniumNode.With(Type(), "&");
            case 'O':
                _at++;
                return ItaniumNode.With(Type(), "&&");
            case 'C':
                _at++;
                return ItaniumNode.With(Type(), " _Complex");
            case 'G':
                _at++;
                return ItaniumNode.With(Type(), " _Imaginary");
            case 'F':
                return FunctionType("");
            case 'A':
                return ArrayType();
            case 'M':
                _at++;
                return new ItaniumNode(ItaniumKind.MemberPointer) { First = Type(), Second = Type() };
            case 'U':
                return VendorQualifiedType();
            case 'T' when After is 's' or 'u' or 'e':
                _at += 2;
                return Name(new NameState());
            case 'T':
                return ParameterType();
            case 'D':
                return ExtendedType();
            default:
                return ClassType();
        }
    }

    private ItaniumNode ClassType()
    {
        // A class's template arguments are not those of the function being read.
        var outer = _templateArguments;
        var type = Name(new NameState());
        _templateArguments = outer;
        return type;
    }

    private ItaniumNode ParameterType()
    {
        var parameter = TemplateParameter();
        if (Next != 'I' || _allowForward)
        {
            return parameter;
        }

        _substitutions.Add(parameter);
        return WithArguments(parameter, null);
    }

    private ItaniumNode QualifiedType()
    {
        var qualifiers = Qualifiers();
        return Next == 'F' || (Next == 'D' && After is 'o' or 'O' or 'w' or 'x') ? FunctionType(qualifiers) : ItaniumNode.With(Type(), qualifiers);
    }

    /// <summary>Reads r, V and K; gives them in the order they are written.</summary>
    private string Qualifiers()
    {
        var (isRestrict, isVolatile, isConstant) = (Skip('r'), Skip('V'), Skip('K'));
        return (isConstant ? " const" : "") + (isVolatile ? " volatile" : "") + (isRestrict ? " restrict" : "");
    }

    private ItaniumNode FunctionType(string qualifiers)
    {
        ItaniumNode? exceptions = null;
        if (Skip("Do"))
        {
            qualifiers += " noexcept";
        }
        else if (Skip("DO"))
        {
            exceptions = Wrapped(" noexcept(", Expression(), ")");
            Expect('E');
        }
        else if (Skip("Dw"))
        {
            exceptions = new ItaniumNode(ItaniumKind.Expression) { Text = " throw(", Items = ArgumentsUntilEnd(Type), End = ")" };
        }

        qualifiers += Skip("Dx") ? " transaction_safe" : "";
        Expect('F');
        Skip('Y');
        var returns = Type();
        var parameters = new List<ItaniumNode>();
        while (Next != 'E')
        {
            if (Next is 'R' or 'O' && After == 'E')
            {
                qualifiers += Next == 'R' ? " &" : " &&";
                _at++;
            }
            else if (!Skip('v'))
            {
                parameters.Add(Type());
            }
        }

        Expect('E');
        return new ItaniumNode(ItaniumKind.FunctionType) { First = returns, Second = exceptions, Items = parameters, Text = qualifiers };
    }

    private ItaniumNode ArrayType()
    {
        Expect('A');
        ItaniumNode? dimension = null;
        if (char.IsAsciiDigit(Next))
        {
            var start = _at;
            Number();
            dimension = ItaniumNode.Named(_text[start.._at]);
        }
        else if (Next != '_')
        {
            dimension = Expression();
        }

        Expect('_');
        return new ItaniumNode(ItaniumKind.Array) { First = Type(), Second = dimension };
    }

    private ItaniumNode VendorQualifiedType()
    {
        Expect('U');
        if (Next is 't' or 'l')
        {
            _at--;
            return Name(new NameState());
        }

        var qualifier = SourceText();
        var arguments = Next == 'I' ? TemplateArguments(isOutermost: false) : [];
        var type = Type();
        return arguments.Count == 0 ? ItaniumNode.With(type, " " + qualifier)
            : new ItaniumNode(ItaniumKind.Expression) { First = type, Text = $" {qualifier}<", Items = arguments, End = ">" };
    }

    private ItaniumNode ExtendedType()
    {
        switch (After)
        {
            case 'p':
                _at += 2;
                return new ItaniumNode(ItaniumKind.Expansion) { First = Type() };
            case 't' or 'T':
                return DeclaredType();
            case 'v':
                return VectorType();
            case 'o' or 'O' or 'w' or 'x':
                return FunctionType("");
            default:
                return ClassType();
        }
    }

    private ItaniumNode DeclaredType()
    {
        _at += 2;
        var expression = Expression();
        Expect('E');
        return new ItaniumNode(ItaniumKind.Expression) { Text = "decltype (", Items = [expression], End = ")" };
    }

    private ItaniumNode VectorType()
    {
        _at += 2;
        var start = _at;
        var size = Next == '_' ? (Skip('_') ? Expression() : throw Unexpected()) : char.IsAsciiDigit(Next) ? ItaniumNode.Named(_text.Substring(start, DigitsFrom(start))) : Expression();
        Expect('_');
        var element = Skip('p') ? ItaniumNode.Named("pixel") : Type();
        return new ItaniumNode(ItaniumKind.Expression) { First = element, Text = " __vector(", Items = [size], End = ")" };
    }

    private int DigitsFrom(int start)
    {
        Number();
        return _at - start;
    }

    private ItaniumNode? BuiltIn()
    {
        if (Next == 'u')
        {
            _at++;
            var name = ItaniumNode.Named(SourceText());
            var vendor = Next == 'I' ? WithArguments(name, null) : name;
            _substitutions.Add(vendor);
            return vendor;
        }

        if (Next == 'D' && _extended.TryGetValue(After, out var extended))
        {
            _at += 2;
            return extended;
        }

        if (Skip("DF"))
        {
            var bits = Number();
            return ItaniumNode.Named(Skip('x') ? $"_Float{bits}x" : Skip('b') ? "std::bfloat16_t" : Skip('_') ? $"_Float{bits}" : throw Unexpected());
        }

        if (Skip("DB") || Skip("DU"))
        {
            var prefix = _text[_at - 1] == 'U' ? "unsigned " : "";
            var bits = Number();
            Expect('_');
            return ItaniumNode.Named($"{prefix}_BitInt({bits})");
        }

        if (!_builtIn.TryGetValue(Next, out var type))
        {
            return null;
        }

        _at++;
        return type;
    }

    private static readonly FrozenDictionary<char, ItaniumNode> _builtIn = new Dictionary<char, string>
    {
        ['v'] = "void",
        ['w'] = "wchar_t",
        ['b'] = "bool",
        ['c'] = "char",
        ['a'] = "signed char",
        ['h'] = "unsigned char",
        ['s'] = "short",
        ['t'] = "unsigned short",
        ['i'] = "int",
        ['j'] = "unsigned int",
        ['l'] = "long",
        ['m'] = "unsigned long",
        ['x'] = "long long",
        ['y'] = "unsigned long long",
        ['n'] = "__int128",
        ['o'] = "unsigned __int128",
        ['f'] = "float",
        ['d'] = "double",
        ['e'] = "long double",
        ['g'] = "__float128",
        ['z'] = "...",
    }.ToFrozenDictionary(pair => pair.Key, pair => ItaniumNode.Named(pair.Value));

    private static readonly FrozenDictionary<char, ItaniumNode> _extended = new Dictionary<char, string>
    {
        ['d'] = "decimal64",
        ['e'] = "decimal128",
        ['f'] = "decimal32",
        ['h'] = "half",
        ['i'] = "char32_t",
        ['s'] = "char16_t",
        ['u'] = "char8_t",
        ['a'] = "auto",
        ['c'] = "decltype(auto)",
        ['n'] = "decltype(nullptr)",
    }.ToFrozenDictionary(pair => pair.Key, pair => ItaniumNode.Named(pair.Value));
}
