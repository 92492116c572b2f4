namespace ActorProfiler.Collector.Symbols.Demangling;

internal sealed partial class ItaniumPrinter
{
    private static readonly ItaniumNode _nothing = ItaniumNode.Named("");

    private void Arguments(IReadOnlyList<ItaniumNode> arguments)
    {
        if (!WithArguments)
        {
            return;
        }

        Append(_text.Length > 0 && _text[^1] == '<' ? " <" : "<"); // operator< <int>
        List(arguments);
        Append(_text[^1] == '>' ? " >" : ">");
    }

    private void List(IReadOnlyList<ItaniumNode> items)
    {
        var isFirst = true;
        foreach (var item in items)
        {
            var before = _text.Length;
            Append(isFirst ? "" : ", ");
            var start = _text.Length;
            Whole(item);
            if (_text.Length == start)
            {
                _text.Length = before; // an empty pack
                continue;
            }

            isFirst = false;
        }
    }

    /// <summary>What a template parameter stands for: its argument, or the item of a pack that is being expanded.</summary>
    private ItaniumNode Argument(ItaniumNode parameter)
    {
        var argument = parameter.First ?? throw new FormatException("a template parameter without its argument");
        return argument.Kind != ItaniumKind.Pack || _packIndex < 0 ? argument : _packIndex < argument.Items.Count ? argument.Items[_packIndex] : _nothing;
    }

    private void WithPackIndex(int index, ItaniumNode node, Action<ItaniumNode> write)
    {
        var outer = _packIndex;
        _packIndex = index;
        write(node);
        _packIndex = outer;
    }

    private void Expand(ItaniumNode pattern)
    {
        if (FindPack(pattern, 0) is not { } pack)
        {
            Append("(");
            Whole(pattern);
            Append(")...");
            return;
        }

        var outer = _packIndex;
        for (_packIndex = 0; _packIndex < pack.Items.Count; _packIndex++)
        {
            Append(_packIndex > 0 ? ", " : "");
            Whole(pattern);
        }

        _packIndex = outer;
    }

    private int LengthOf(IReadOnlyList<ItaniumNode> items)
    {
        var length = 0;
        foreach (var item in items)
        {
            length += item.Kind == ItaniumKind.Expansion && FindPack(item.First, 0) is { } pack ? pack.Items.Count : item.Kind == ItaniumKind.Pack ? item.Items.Count : 1;
        }

        return length;
    }

    /// <summary>The first pack that a parameter in the pattern stands for; null when there is none.</summary>
    private ItaniumNode? FindPack(ItaniumNode? node, int depth)
    {
        if (node is not { HasParameter: true } || depth > 64 || ++_steps > StepLimit)
        {
            return null;
        }

        if (node.Kind == ItaniumKind.Parameter)
        {
            return node.First is { Kind: ItaniumKind.Pack } pack ? pack : null;
        }

        var found = FindPack(node.First, depth + 1) ?? FindPack(node.Second, depth + 1);
        for (var i = 0; found is null && i < node.Items.Count; i++)
        {
            found = FindPack(node.Items[i], depth + 1);
        }

        return found;
    }

    private void Expression(ItaniumNode node)
    {
        if (node.First is not null)
        {
            Whole(node.First);
        }

        Append(node.Text);
        List(node.Items);
        Append(node.End);
    }

    private string LastName(ItaniumNode node)
    {
        for (var steps = 0; steps < DepthLimit; steps++)
        {
            switch (node.Kind)
            {
                case ItaniumKind.Nested or ItaniumKind.Local:
                    node = node.Second!;
                    break;
                case ItaniumKind.Template or ItaniumKind.Tagged or ItaniumKind.Attached:
                    node = node.First!;
                    break;
                case ItaniumKind.Name:
                    return node.Text[(node.Text.LastIndexOf(':') + 1)..];
                default:
                    var printer = new ItaniumPrinter(mode) { _steps = _steps, _depth = _depth };
                    printer.Whole(node);
                    _steps = printer._steps;
                    return printer._text.ToString();
            }
        }

        throw new FormatException("a constructor without a class");
    }
}
