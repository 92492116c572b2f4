namespace ActorProfiler.Collector.Symbols.Demangling;

internal sealed partial class ItaniumParser
{
    private ItaniumNode OperatorName(NameState state)
    {
        if (Skip("cv"))
        {
            var outer = _allowForward;
            _allowForward = true; // its type may use arguments that follow the name
            state.IsConstructorOrConversion = true;
            var type = Type();
            _allowForward = outer;
            return new ItaniumNode(ItaniumKind.Conversion) { First = type };
        }

        if (Skip("li"))
        {
            return ItaniumNode.Named("operator\"\" " + SourceText());
        }

        if (Next == 'v' && char.IsAsciiDigit(After))
        {
            _at += 2;
            return ItaniumNode.Named("operator " + SourceText());
        }

        if (Operator() is not { } found)
        {
            throw Unexpected();
        }

        return ItaniumNode.Named(char.IsAsciiLetter(found.Text[0]) ? "operator " + found.Text : "operator" + found.Text);
    }

    private (string Code, string Text, int Operands)? Operator()
    {
        foreach (var candidate in _operators)
        {
            if (Skip(candidate.Code))
            {
                return candidate;
            }
        }

        return null;
    }

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

        if (Next == 'f' && After is 'p' or 'L')
        {
            return FunctionParameter();
        }

        if (Next == 'f' && After is 'l' or 'r' or 'R')
        {
            return Fold();
        }

        if (char.IsAsciiDigit(Next) || (Next == 'o' && After == 'n') || (Next == 's' && After == 'r'))
        {
            return UnresolvedName();
        }

        Skip("gs");
        return SpecialExpression() ?? OperatorExpression();
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
        var isBinary = kind == 'R';
        var symbol = Operator()?.Text ?? throw Unexpected();
        var first = Expression();
        if (isBinary)
        {
            return Infix(first, symbol + "..." + symbol, Expression());
        }

        return new ItaniumNode(ItaniumKind.Expression)
        {
            Text = kind == 'l' ? $"(...{symbol}" : "(",
            Items = [first],
            End = kind == 'l' ? ")" : $"{symbol}...)",
        };
    }

    private ItaniumNode UnresolvedName()
    {
        ItaniumNode? scope = null;
        if (Skip("srN"))
        {
            scope = Next == 'T' ? ParameterType() : Next == 'S' ? Type() : SimpleName();
            while (!Skip('E'))
            {
                scope = ItaniumNode.In(scope, SimpleName());
            }
        }
        else if (Skip("sr"))
        {
            if (char.IsAsciiDigit(Next))
            {
                // Several levels and E before the name, or, as GCC writes it, one level and the name. Then the E ends what is around it.
                for (scope = SimpleName(); char.IsAsciiDigit(Next);)
                {
                    scope = ItaniumNode.In(scope, SimpleName());
                }

                if (Next != 'E' || !char.IsAsciiDigit(After))
                {
                    return scope;
                }

                Skip('E');
            }
            else
            {
                scope = Type();
            }
        }

        if (Skip("on"))
        {
            var name = OperatorName(new NameState());
            return ItaniumNode.In(scope, Next == 'I' ? WithArguments(name, null) : name);
        }

        if (Skip("dn"))
        {
            return ItaniumNode.In(scope, new ItaniumNode(ItaniumKind.Expression) { Text = "~", Items = [char.IsAsciiDigit(Next) ? SimpleName() : Type()] });
        }

        return ItaniumNode.In(scope, SimpleName());
    }

    private ItaniumNode SimpleName()
    {
        var name = Tagged(ItaniumNode.Named(SourceText()));
        return Next == 'I' ? WithArguments(name, null) : name;
    }

    private ItaniumNode? SpecialExpression()
    {
        foreach (var (code, text, end) in _wrappers)
        {
            if (Skip(code))
            {
                var takesType = code is "st" or "ti" or "at";
                return new ItaniumNode(ItaniumKind.Expression) { Text = text, Items = [takesType ? Type() : Expression()], End = end };
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
            return new ItaniumNode(ItaniumKind.Expression) { Text = "sizeof...(", Items = Next is 'T' or 'f' ? [Expression()] : ArgumentsUntilEnd(TemplateArgument), End = ")" };
        }

        if (Skip("cl") || Skip("cp"))
        {
            var callee = Expression();
            return new ItaniumNode(ItaniumKind.Expression) { First = callee, Text = "(", Items = ArgumentsUntilEnd(Expression), End = ")" };
        }

        if (Skip("cv"))
        {
            var type = Type();
            return new ItaniumNode(ItaniumKind.Expression) { First = Wrapped("(", type, ")"), Text = "(", Items = Skip('_') ? ArgumentsUntilEnd(Expression) : [Expression()], End = ")" };
        }

        if (Skip("tl"))
        {
            return new ItaniumNode(ItaniumKind.Expression) { First = Type(), Text = "{", Items = ArgumentsUntilEnd(Expression), End = "}" };
        }

        if (Skip("il"))
        {
            return new ItaniumNode(ItaniumKind.Expression) { Text = "{", Items = ArgumentsUntilEnd(Expression), End = "}" };
        }

        return Skip("tr") ? ItaniumNode.Named("throw") : NewExpression();
    }

    private ItaniumNode? NewExpression()
    {
        if (!Skip("nw") && !Skip("na"))
        {
            return null;
        }

        while (!Skip('_'))
        {
            Expression();
        }

        var type = Type();
        var arguments = Skip("pi") ? ArgumentsUntilEnd(Expression) : Skip('E') ? [] : throw Unexpected();
        return new ItaniumNode(ItaniumKind.Expression) { First = Wrapped("new ", type, ""), Text = "(", Items = arguments, End = ")" };
    }

    private ItaniumNode OperatorExpression()
    {
        if (Skip("dt") || Skip("pt"))
        {
            var symbol = _text[_at - 2] == 'd' ? "." : "->";
            var target = Expression();
            return new ItaniumNode(ItaniumKind.Expression) { First = target, Text = symbol, Items = [UnresolvedName()] };
        }

        if (Operator() is not { } found)
        {
            throw Unexpected();
        }

        if (found.Text is "++" or "--")
        {
            var isPrefix = Skip('_');
            var target = Expression();
            return new ItaniumNode(ItaniumKind.Expression) { Text = isPrefix ? found.Text : "(", Items = [target], End = isPrefix ? "" : ")" + found.Text };
        }

        if (found.Code == "ad" && Next == 'L')
        {
            return Wrapped("&", Literal(), ""); // the address of a function or variable as template argument
        }

        if (found.Operands == 1)
        {
            return new ItaniumNode(ItaniumKind.Expression) { Text = found.Text + "(", Items = [Expression()], End = ")" };
        }

        var first = Expression();
        if (found.Code == "ix")
        {
            return new ItaniumNode(ItaniumKind.Expression) { First = first, Text = "[", Items = [Expression()], End = "]" };
        }

        return found.Operands == 2 ? Infix(first, found.Text, Expression()) : Infix(first, "?", Infix(Expression(), ":", Expression()));
    }

    private static ItaniumNode Infix(ItaniumNode left, string symbol, ItaniumNode right) => new(ItaniumKind.Expression)
    {
        Text = "(",
        Items = [new ItaniumNode(ItaniumKind.Expression) { First = left, Text = symbol, Items = [right] }],
        End = ")",
    };

    private static ItaniumNode Wrapped(string before, ItaniumNode node, string after) => new(ItaniumKind.Expression) { Text = before, Items = [node], End = after };

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
            var function = Encoding();
            Expect('E');
            return function.Kind == ItaniumKind.Function ? function.Second! : function;
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
            'b' when value is "0" or "1" => ItaniumNode.Named(value == "1" ? "true" : "false"),
            'i' => ItaniumNode.Named(value),
            'j' => ItaniumNode.Named(value + "u"),
            'l' => ItaniumNode.Named(value + "l"),
            'm' => ItaniumNode.Named(value + "ul"),
            'x' => ItaniumNode.Named(value + "ll"),
            'y' => ItaniumNode.Named(value + "ull"),
            'D' when value is "" or "0" => ItaniumNode.Named("nullptr"),
            'f' or 'd' or 'e' or 'g' => Wrapped("(", type, $")[{value}]"),
            _ => Wrapped("(", type, ")" + value),
        };
    }

    private static readonly (string Code, string Text, string End)[] _wrappers =
    [
        ("st", "sizeof (", ")"), ("sz", "sizeof (", ")"), ("at", "alignof (", ")"), ("az", "alignof (", ")"), ("ti", "typeid (", ")"),
        ("te", "typeid (", ")"), ("nx", "noexcept (", ")"), ("tw", "throw ", ""), ("dl", "delete ", ""), ("da", "delete[] ", ""),
    ];

    private static readonly (string Code, string Text)[] _casts =
        [("dc", "dynamic_cast"), ("sc", "static_cast"), ("cc", "const_cast"), ("rc", "reinterpret_cast")];

    private static readonly (string Code, string Text, int Operands)[] _operators =
    [
        ("nw", "new", 0), ("na", "new[]", 0), ("dl", "delete", 0), ("da", "delete[]", 0), ("aw", "co_await", 1), ("ps", "+", 1), ("ng", "-", 1),
        ("ad", "&", 1), ("de", "*", 1), ("co", "~", 1), ("pl", "+", 2), ("mi", "-", 2), ("ml", "*", 2), ("dv", "/", 2), ("rm", "%", 2), ("an", "&", 2),
        ("or", "|", 2), ("eo", "^", 2), ("aS", "=", 2), ("pL", "+=", 2), ("mI", "-=", 2), ("mL", "*=", 2), ("dV", "/=", 2), ("rM", "%=", 2),
        ("aN", "&=", 2), ("oR", "|=", 2), ("eO", "^=", 2), ("ls", "<<", 2), ("rs", ">>", 2), ("lS", "<<=", 2), ("rS", ">>=", 2), ("eq", "==", 2),
        ("ne", "!=", 2), ("lt", "<", 2), ("gt", ">", 2), ("le", "<=", 2), ("ge", ">=", 2), ("ss", "<=>", 2), ("nt", "!", 1), ("aa", "&&", 2),
        ("oo", "||", 2), ("pp", "++", 1), ("mm", "--", 1), ("cm", ",", 2), ("pm", "->*", 2), ("ds", ".*", 2), ("pt", "->", 2), ("cl", "()", 2),
        ("ix", "[]", 2), ("qu", "?", 3),
    ];
}
