namespace ActorProfiler.Collector.Symbols.Demangling;

internal sealed partial class ItaniumParser
{
    /// <param name="isDeclared">True for the name of what is declared: a type that it converts to may use template arguments that follow it.</param>
    private ItaniumNode OperatorName(NameState state, bool isDeclared)
    {
        if (Skip("cv"))
        {
            var outer = _allowForward;
            _allowForward |= isDeclared;
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

    private ItaniumNode OperatorExpression()
    {
        if (Skip("dt") || Skip("pt"))
        {
            var symbol = _text[_at - 2] == 'd' ? "." : "->";
            return Infix(Expression(), symbol, UnresolvedName());
        }

        if (Operator() is not { } found)
        {
            throw Unexpected();
        }

        if (found.Text is "++" or "--")
        {
            return Skip('_') ? Wrapped(found.Text, Operand(Expression()), "") : Wrapped("", Operand(Expression()), found.Text);
        }

        if (found.Operands == 1)
        {
            var operand = Expression();
            return found.Code == "ad" && operand.Kind == ItaniumKind.Function
                ? new ItaniumNode(ItaniumKind.Address) { First = operand }
                : Wrapped(found.Text, Operand(operand), "");
        }

        var first = Expression();
        if (found.Code == "ix")
        {
            return new ItaniumNode(ItaniumKind.Expression) { First = Operand(first), Text = "[", Items = [Expression()], End = "]" };
        }

        if (found.Operands == 3)
        {
            return Infix(first, "?", Infix(Expression(), " : ", Expression()), isLast: true);
        }

        // An operator > is kept apart from the end of template arguments.
        var infix = Infix(first, found.Text, Expression());
        return found.Text == ">" ? Wrapped("(", infix, ")") : infix;
    }

    private static ItaniumNode Infix(ItaniumNode left, string symbol, ItaniumNode right, bool isLast = false) =>
        new(ItaniumKind.Expression) { First = Operand(left), Text = symbol, Items = [isLast ? right : Operand(right)] };

    /// <summary>The operand of an operator: in parentheses unless it is a name or a list in braces.</summary>
    private static ItaniumNode Operand(ItaniumNode node) =>
        node is { Kind: ItaniumKind.Name } or { Kind: ItaniumKind.Nested, Second.Kind: not ItaniumKind.Template } or { Kind: ItaniumKind.Expression, First: null, End: "}" }
            ? node : Wrapped("(", node, ")");

    private static ItaniumNode Wrapped(string before, ItaniumNode node, string after) => new(ItaniumKind.Expression) { Text = before, Items = [node], End = after };

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
