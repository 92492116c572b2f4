namespace ActorProfiler.Collector.Symbols.Demangling;

internal sealed partial class ItaniumParser
{
    private ItaniumNode Expression() => Deeper(() =>
    {
        if (Next == 'L')
        {
            return Literal();
        }

        if (Next == 'T' && (After == '_' || char.IsAsciiDigit(After)))
        {
            return TemplateParameter();
        }

        if (Next == 'f' && (After == 'p' || (After == 'L' && char.IsAsciiDigit(ThirdNext))))
        {
            return FunctionParameter();
        }

        if (Next == 'f' && After is 'l' or 'r' or 'L' or 'R')
        {
            return Fold();
        }

        if (char.IsAsciiDigit(Next) || (Next == 'o' && After == 'n') || (Next == 's' && After == 'r'))
        {
            return UnresolvedName();
        }

        if (Skip("gs"))
        {
            return Wrapped("::", NewExpression() ?? (Next == 'd' ? SpecialExpression() : null) ?? UnresolvedName(), "");
        }

        return SpecialExpression() ?? Initializer() ?? OperatorExpression();
    });

    private ItaniumNode FunctionParameter()
    {
        if (Skip("fpT"))
        {
            return ItaniumNode.Named("this");
        }

        var hasLevel = Next == 'f' && After == 'L';
        _at += 2;
        if (hasLevel)
        {
            Number();
            Expect('p');
        }

        Qualifiers();
        return ItaniumNode.Named($"{{parm#{Sequence(10) + 1}}}");
    }

    private ItaniumNode Fold()
    {
        var kind = After;
        _at += 2;
        var isBinary = kind is 'L' or 'R';
        var symbol = Operator()?.Text ?? throw Unexpected();
        var first = Expression();
        if (isBinary)
        {
            return Wrapped("(", Infix(first, symbol + "..." + symbol, Expression()), ")");
        }

        return new ItaniumNode(ItaniumKind.Expression)
        {
            Text = kind == 'l' ? $"(...{symbol}" : "(",
            Items = [Operand(first)],
            End = kind == 'l' ? ")" : $"{symbol}...)",
        };
    }

    private ItaniumNode UnresolvedName()
    {
        if (Skip("gs"))
        {
            return Wrapped("::", UnresolvedName(), "");
        }

        var scope = Skip("sr") ? UnresolvedScope() : null;
        if (Skip("dn"))
        {
            return ItaniumNode.In(scope, new ItaniumNode(ItaniumKind.Expression) { Text = "~", Items = [char.IsAsciiDigit(Next) ? SimpleName() : Type()] });
        }

        if (char.IsAsciiDigit(Next))
        {
            return ItaniumNode.In(scope, SimpleName());
        }

        Skip("on"); // left out by old compilers
        var name = OperatorName(new NameState(), isDeclared: false);
        return ItaniumNode.In(scope, Next == 'I' ? WithArguments(name, null) : name);
    }

    /// <summary>Names up to an E, which are no substitutions; or, as GCC writes it, a type, whose parts are.</summary>
    private ItaniumNode UnresolvedScope()
    {
        if (!char.IsAsciiDigit(Next))
        {
            return Type();
        }

        var (at, substitutions) = (_at, _substitutions.Count);
        var scope = SimpleName();
        while (char.IsAsciiDigit(Next))
        {
            scope = ItaniumNode.In(scope, SimpleName());
        }

        if (Next == 'E' && (char.IsAsciiDigit(After) || (After is 'o' or 'd' && ThirdNext == 'n')))
        {
            _at++;
            return scope;
        }

        _at = at;
        _substitutions.RemoveRange(substitutions, _substitutions.Count - substitutions);
        return Type();
    }

    private ItaniumNode SimpleName()
    {
        var name = Tagged(ItaniumNode.Named(SourceText()));
        return Next == 'I' ? WithArguments(name, null) : name;
    }

    private ItaniumNode? SpecialExpression()
    {
        foreach (var (code, text, takesType) in _named)
        {
            if (Skip(code))
            {
                return takesType ? Wrapped($"{text}(", Type(), ")") : code == "nx" ? Wrapped($"{text}(", Expression(), ")") : Wrapped(text, Operand(Expression()), "");
            }
        }

        foreach (var (code, text) in _casts)
        {
            if (Skip(code))
            {
                var type = Type();
                return new ItaniumNode(ItaniumKind.Expression) { First = Wrapped($"{text}<", type, ">("), Items = [Expression()], End = ")" };
            }
        }

        if (Skip("sp"))
        {
            return new ItaniumNode(ItaniumKind.Expansion) { First = Expression() };
        }

        if (Skip("sZ") || Skip("sP"))
        {
            return new ItaniumNode(ItaniumKind.PackLength)
            {
                Items = _text[_at - 1] == 'Z' ? [new ItaniumNode(ItaniumKind.Expansion) { First = Expression() }] : ArgumentsUntilEnd(TemplateArgument),
            };
        }

        return CallOrList() ?? NewExpression();
    }

    private ItaniumNode? CallOrList()
    {
        if (Skip("cl") || Skip("cp"))
        {
            var callee = Expression();
            callee = callee is { Kind: ItaniumKind.Function, Second: { } name } ? name : callee; // its parameters' types say nothing that the arguments do not
            return new ItaniumNode(ItaniumKind.Expression) { First = Operand(callee), Text = "(", Items = ArgumentsUntilEnd(Expression), End = ")" };
        }

        if (Skip("cv"))
        {
            var type = Wrapped("(", Type(), ")");
            return Skip('_')
                ? new ItaniumNode(ItaniumKind.Expression) { First = type, Text = "(", Items = ArgumentsUntilEnd(Expression), End = ")" }
                : new ItaniumNode(ItaniumKind.Expression) { First = type, Items = [Operand(Expression())] };
        }

        if (Skip("tl"))
        {
            return new ItaniumNode(ItaniumKind.Expression) { First = Type(), Text = "{", Items = ArgumentsUntilEnd(Expression), End = "}" };
        }

        if (Skip("il"))
        {
            return new ItaniumNode(ItaniumKind.Expression) { Text = "{", Items = ArgumentsUntilEnd(Expression), End = "}" };
        }

        if (Skip("rq") || Skip("rQ"))
        {
            return Requires(hasParameters: _text[_at - 1] == 'Q');
        }

        return Skip("tr") ? ItaniumNode.Named("throw") : null;
    }

    /// <summary>A requires-expression; what it requires is read over.</summary>
    private ItaniumNode Requires(bool hasParameters)
    {
        while (hasParameters && !Skip('_'))
        {
            Type();
        }

        while (!Skip('E'))
        {
            if (Skip('X'))
            {
                Expression();
                Skip('N');
                _ = Skip('R') ? Name(new NameState()) : null;
            }
            else if (Skip('T'))
            {
                Type();
            }
            else if (Next == 'Q')
            {
                Constraint();
            }
            else
            {
                throw Unexpected();
            }
        }

        return ItaniumNode.Named("requires {...}");
    }

    /// <summary>A vendor's expression, or the initializer of a member or of elements, up to the next one.</summary>
    private ItaniumNode? Initializer()
    {
        if (Skip('u'))
        {
            return new ItaniumNode(ItaniumKind.Expression) { Text = SourceText() + "(", Items = ArgumentsUntilEnd(TemplateArgument), End = ")" };
        }

        if (Skip("di"))
        {
            return new ItaniumNode(ItaniumKind.Expression) { First = Wrapped(".", SimpleName(), ""), Items = [Initialized()] };
        }

        if (Skip("dx"))
        {
            return new ItaniumNode(ItaniumKind.Expression) { First = Wrapped("[", Expression(), "]"), Items = [Initialized()] };
        }

        if (Skip("dX"))
        {
            var first = Expression();
            return new ItaniumNode(ItaniumKind.Expression) { First = Wrapped("[", new ItaniumNode(ItaniumKind.Expression) { First = first, Text = " ... ", Items = [Expression()] }, "]"), Items = [Initialized()] };
        }

        return null;
    }

    private ItaniumNode Initialized() => Next == 'd' && After is 'i' or 'x' or 'X' ? Expression() : Wrapped("=", Operand(Expression()), "");

    private ItaniumNode? NewExpression()
    {
        if (!Skip("nw") && !Skip("na"))
        {
            return null;
        }

        var placement = new List<ItaniumNode>();
        while (!Skip('_'))
        {
            placement.Add(Expression());
        }

        var keyword = placement.Count == 0 ? ItaniumNode.Named("new ") : new ItaniumNode(ItaniumKind.Expression) { Text = "new (", Items = placement, End = ") " };
        var created = new ItaniumNode(ItaniumKind.Expression) { First = keyword, Items = [Type()] };
        if (Skip('E'))
        {
            return created;
        }

        return Skip("pi") ? new ItaniumNode(ItaniumKind.Expression) { First = created, Text = "(", Items = ArgumentsUntilEnd(Expression), End = ")" }
            : Next == 'i' ? new ItaniumNode(ItaniumKind.Expression) { First = created, Items = [Expression()] }
            : throw Unexpected();
    }

    private List<ItaniumNode> ArgumentsUntilEnd(Func<ItaniumNode> parse)
    {
        var arguments = new List<ItaniumNode>();
        while (!Skip('E'))
        {
            arguments.Add(parse());
        }

        return arguments;
    }

    private ItaniumNode Literal()
    {
        Expect('L');
        if (Skip("_Z") || Skip('Z'))
        {
            var entity = Encoding();
            Expect('E');
            return entity;
        }

        var kind = Next;
        var type = Type();
        var start = _at;
        while (Next is not ('E' or '\0'))
        {
            _at++;
        }

        var value = _text[start.._at];
        Expect('E');
        value = value.StartsWith('n') ? "-" + value[1..] : value;
        return kind switch
        {
            'b' when value is "0" or "1" => Value(value == "1" ? "true" : "false"),
            'i' => Value(value),
            'j' => Value(value + "u"),
            'l' => Value(value + "l"),
            'm' => Value(value + "ul"),
            'x' => Value(value + "ll"),
            'y' => Value(value + "ull"),
            'D' when value is "" or "0" => Value("nullptr"),
            'f' or 'd' or 'e' or 'g' => Wrapped("(", type, $")[{value}]"),
            _ => Wrapped("(", type, ")" + value),
        };
    }

    private static ItaniumNode Value(string text) => new(ItaniumKind.Expression) { Text = text };

    private static readonly (string Code, string Text, bool TakesType)[] _named =
    [
        ("st", "sizeof ", true), ("sz", "sizeof ", false), ("at", "alignof ", true), ("az", "alignof ", false), ("ti", "typeid ", true),
        ("te", "typeid ", false), ("nx", "noexcept", false), ("tw", "throw ", false), ("dl", "delete ", false), ("da", "delete[] ", false),
    ];

    private static readonly (string Code, string Text)[] _casts =
        [("dc", "dynamic_cast"), ("sc", "static_cast"), ("cc", "const_cast"), ("rc", "reinterpret_cast")];
}
