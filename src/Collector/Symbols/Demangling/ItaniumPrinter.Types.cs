namespace ActorProfiler.Collector.Symbols.Demangling;

internal sealed partial class ItaniumPrinter
{
    /// <summary>The part after the name: parameters of a function type, size of an array.</summary>
    private void Right(ItaniumNode node)
    {
        if (++_depth > DepthLimit || ++_steps > StepLimit)
        {
            throw new FormatException("a demangled name is deeper or larger than the bounds");
        }

        switch (node.Kind)
        {
            case ItaniumKind.Suffix:
                var (target, _, isItem) = Collapsed(node);
                Append(IsOpen(target) && IsPointer(node) ? ")" : "");
                WithPackIndex(isItem ? -1 : _packIndex, target, Right);
                break;
            case ItaniumKind.FunctionType:
                Append("(");
                List(node.Items);
                Append(")");
                Append(node.Text);
                if (node.Second is not null)
                {
                    Whole(node.Second);
                }

                Right(node.First!);
                break;
            case ItaniumKind.Array:
                Append(_text.Length > 0 && _text[^1] == ']' ? "[" : " [");
                if (node.Second is not null)
                {
                    Whole(node.Second);
                }

                Append("]");
                Right(node.First!);
                break;
            case ItaniumKind.MemberPointer:
                Append(IsOpen(node.Second!) ? ")" : "");
                Right(node.Second!);
                break;
            case ItaniumKind.Parameter:
                WithPackIndex(-1, Argument(node), Right);
                break;
        }

        _depth--;
    }

    private void LeftOfSuffix(ItaniumNode node)
    {
        var (target, suffix, isItem) = Collapsed(node);
        WithPackIndex(isItem ? -1 : _packIndex, target, Left);
        if (IsPointer(node) && IsOpen(target))
        {
            Open(target);
        }

        // A qualifier may come twice, in the pattern and in its argument.
        Append(suffix.StartsWith(' ') && target is { Kind: ItaniumKind.Suffix } && target.Text == suffix ? "" : suffix);
    }

    /// <summary>A reference to a reference, through template arguments, is one reference: &amp; wins over &amp;&amp;.</summary>
    private (ItaniumNode Target, string Suffix, bool IsItem) Collapsed(ItaniumNode node)
    {
        var isItem = false;
        var (target, suffix) = (Actual(node.First!, ref isItem), node.Text);
        while (suffix is "&" or "&&" && target is { Kind: ItaniumKind.Suffix, Text: "&" or "&&" })
        {
            suffix = suffix == "&" ? "&" : target.Text;
            target = Actual(target.First!, ref isItem);
        }

        return (target, suffix, isItem);
    }

    private ItaniumNode Actual(ItaniumNode node)
    {
        var isItem = false;
        return Actual(node, ref isItem);
    }

    /// <param name="isItem">Set when the node is the argument of a parameter: it is not part of the pattern being expanded.</param>
    private ItaniumNode Actual(ItaniumNode node, ref bool isItem)
    {
        for (var steps = 0; steps < DepthLimit; steps++)
        {
            if (node.Kind != ItaniumKind.Parameter)
            {
                return node;
            }

            node = isItem ? node.First! : Argument(node);
            isItem = true;
        }

        throw new FormatException("a template argument refers to itself");
    }

    /// <summary>The parenthesis around a pointer to a function or an array.</summary>
    private void Open(ItaniumNode target)
    {
        var isSpaced = _text.Length > 0 && (_text[^1] is ' ' || (_text[^1] is '(' or '*' && !IsOpenType(Actual(target), ItaniumKind.Array, 0)));
        Append(isSpaced ? "(" : " (");
    }

    private bool IsOpen(ItaniumNode node) => IsOpenType(Actual(node), ItaniumKind.FunctionType, 0) || IsOpenType(Actual(node), ItaniumKind.Array, 0);

    private bool IsOpenType(ItaniumNode node, ItaniumKind kind, int depth) =>
        node.Kind == kind || (node.Kind == ItaniumKind.Suffix && node.Text.StartsWith(' ') && depth < 8 && IsOpenType(Actual(node.First!), kind, depth + 1));

    private bool IsPointerToOpen(ItaniumNode node) => node.Kind switch
    {
        ItaniumKind.Suffix => IsPointer(node) && IsOpen(Collapsed(node).Target),
        ItaniumKind.MemberPointer => IsOpen(node.Second!),
        _ => false,
    };

    private static bool IsPointer(ItaniumNode node) => node.Text is "*" or "&" or "&&";
}
