namespace ActorProfiler.Collector.Symbols.Demangling;

internal sealed partial class ItaniumParser
{
    private const int SharedDepthLimit = 256;

    private List<ItaniumNode> TemplateArguments(bool isOutermost)
    {
        Expect('I');
        var arguments = new List<ItaniumNode>();
        var outer = _templateArguments;
        while (!Skip('E'))
        {
            if (Next == 'Q')
            {
                _templateArguments = arguments;
                Constraint();
                _templateArguments = outer;
                continue;
            }

            arguments.Add(TemplateArgument());
        }

        _templateArguments = isOutermost ? arguments : outer;
        return arguments;
    }

    private ItaniumNode TemplateArgument() => Deeper(() =>
    {
        if (Skip('X'))
        {
            var expression = Expression();
            Expect('E');
            return expression;
        }

        if (Skip('J') || Skip('I'))
        {
            return new ItaniumNode(ItaniumKind.Pack) { Items = ArgumentsUntilEnd(TemplateArgument) };
        }

        if (AtDeclaration)
        {
            Declarations([]);
            return TemplateArgument();
        }

        return Next == 'L' ? Literal() : Type();
    });

    private bool AtDeclaration => Next == 'T' && After is 'y' or 'n' or 't' or 'p' or 'k';

    /// <summary>Declarations of template parameters: <c>typename $T0</c>; their names are added to the list.</summary>
    private List<ItaniumNode> Declarations(List<ItaniumNode> names)
    {
        var declarations = new List<ItaniumNode>();
        while (AtDeclaration)
        {
            var declared = Declaration(out var mark);
            var name = $"{mark}{names.Count}";
            names.Add(ItaniumNode.Named(name));
            declarations.Add(Wrapped("", declared, " " + name));
        }

        return declarations;
    }

    private ItaniumNode Declaration(out string mark)
    {
        var isPack = Skip("Tp");
        ItaniumNode declared;
        if (Skip("Ty"))
        {
            (declared, mark) = (ItaniumNode.Named("typename"), "$T");
        }
        else if (Skip("Tk"))
        {
            (declared, mark) = (Name(new NameState()), "$T");
        }
        else if (Skip("Tn"))
        {
            (declared, mark) = (Type(), "$N");
        }
        else if (Skip("Tt"))
        {
            (declared, mark) = (new ItaniumNode(ItaniumKind.Expression) { Text = "template<", Items = ArgumentsUntilEnd(UnnamedDeclaration), End = "> class" }, "$TT");
        }
        else
        {
            throw Unexpected();
        }

        return isPack ? Wrapped("", declared, "...") : declared;
    }

    private ItaniumNode UnnamedDeclaration() => Deeper(() => Declaration(out _));

    private ItaniumNode TemplateParameter()
    {
        Expect('T');
        if (Skip('L'))
        {
            Number();
            Expect('_');
        }

        var index = Sequence(10);
        return Parameter(index) ?? throw Unexpected();
    }

    /// <summary>A template parameter with what it stands for at this place, or null when the place has none of that number.</summary>
    private ItaniumNode? Parameter(int index)
    {
        if (_allowForward)
        {
            var forward = new ItaniumNode(ItaniumKind.Parameter) { Index = index };
            _forwards.Add(forward);
            return forward;
        }

        if (_lambdaParameters is { } declared)
        {
            return new ItaniumNode(ItaniumKind.Parameter) { Index = index, First = index < declared.Count ? declared[index] : ItaniumNode.Named($"auto:{index + 1}") };
        }

        return index < _templateArguments.Count ? new ItaniumNode(ItaniumKind.Parameter) { Index = index, First = _templateArguments[index] } : null;
    }

    private void ResolveForwards(int first)
    {
        for (var i = _forwards.Count - 1; i >= first; i--)
        {
            if (_forwards[i].Index >= _templateArguments.Count)
            {
                throw new FormatException($"cannot demangle {_text}: template parameter {_forwards[i].Index} of {_templateArguments.Count}");
            }

            _forwards[i].First = _templateArguments[_forwards[i].Index];
            _forwards.RemoveAt(i);
        }
    }

    private ItaniumNode Substitution()
    {
        Expect('S');
        if (Next is '_' || char.IsAsciiDigit(Next) || char.IsAsciiLetterUpper(Next))
        {
            var index = Sequence(36);
            return index < _substitutions.Count ? Here(_substitutions[index]) : throw Unexpected();
        }

        foreach (var (code, name, _) in _standard)
        {
            if (Skip(code))
            {
                var node = ItaniumNode.Named("std::" + name);
                var tagged = Tagged(node);
                if (!ReferenceEquals(node, tagged))
                {
                    _substitutions.Add(tagged);
                }

                return tagged;
            }
        }

        throw Unexpected();
    }

    /// <summary>A substitution as it reads here: its template parameters are those of the function that is being read, not of the one where it was first met.</summary>
    private ItaniumNode Here(ItaniumNode node) =>
        node.HasParameter ? Here(node, new Dictionary<ItaniumNode, ItaniumNode>(ReferenceEqualityComparer.Instance), 0) : node;

    private ItaniumNode Here(ItaniumNode node, Dictionary<ItaniumNode, ItaniumNode> known, int depth)
    {
        if (!node.HasParameter)
        {
            return node;
        }

        if (known.TryGetValue(node, out var done))
        {
            return done;
        }

        CountStep();
        if (depth > SharedDepthLimit)
        {
            throw new FormatException($"cannot demangle {_text}: nested deeper than {SharedDepthLimit}");
        }

        return known[node] = node.Kind == ItaniumKind.Parameter ? ParameterHere(node) : PartsHere(node, known, depth + 1);
    }

    private ItaniumNode ParameterHere(ItaniumNode node)
    {
        var here = Parameter(node.Index);
        return here is null || ReferenceEquals(here.First, node.First) ? node : here;
    }

    private ItaniumNode PartsHere(ItaniumNode node, Dictionary<ItaniumNode, ItaniumNode> known, int depth)
    {
        var first = node.First is null ? null : Here(node.First, known, depth);
        var second = node.Second is null ? null : Here(node.Second, known, depth);
        ItaniumNode[] items = [.. node.Items];
        var isSame = ReferenceEquals(first, node.First) && ReferenceEquals(second, node.Second);
        for (var i = 0; i < items.Length; i++)
        {
            items[i] = Here(node.Items[i], known, depth);
            isSame &= ReferenceEquals(items[i], node.Items[i]);
        }

        return isSame ? node : new ItaniumNode(node.Kind) { Text = node.Text, End = node.End, Index = node.Index, First = first, Second = second, Items = items };
    }

    /// <summary>Reads a constraint, <c>requires C&lt;T&gt;</c>, which is not shown.</summary>
    private void Constraint()
    {
        if (Skip('Q'))
        {
            Expression();
        }
    }
}
