using System.Text;

namespace ActorProfiler.Collector.Symbols.Demangling;

/// <summary>Writes a parsed C++ name, in the style of the GNU tools.</summary>
/// <remarks>
/// Types are written in two parts, around the name: <c>int (*</c>name<c>)[10]</c>. Depth, steps and text are bounded: shared nodes let a short symbol
/// stand for text without end.
/// </remarks>
internal sealed partial class ItaniumPrinter(DemangleMode mode)
{
    private const int DepthLimit = 512;
    private const int StepLimit = 1 << 16;

    private readonly StringBuilder _text = new();
    private int _depth;
    private int _steps;
    private int _packIndex = -1;

    private bool WithParameters => mode == DemangleMode.Full;

    private bool WithArguments => mode != DemangleMode.Simplified;

    /// <exception cref="FormatException">The name is longer or deeper than the bounds.</exception>
    public string Print(ItaniumNode node)
    {
        if (node.Kind == ItaniumKind.Function && !WithParameters)
        {
            Whole(node.Second!);
        }
        else
        {
            Whole(node);
        }

        return _text.ToString();
    }

    private void Whole(ItaniumNode node)
    {
        Left(node);
        Right(node);
    }

    private void Append(string text)
    {
        _text.Append(text);
        if (_text.Length > Demangler.OutputLimit)
        {
            throw new FormatException($"a demangled name is longer than {Demangler.OutputLimit} characters");
        }
    }

    /// <summary>The part before the name that is declared; for all but types with a right side the whole.</summary>
    private void Left(ItaniumNode node)
    {
        if (++_depth > DepthLimit || ++_steps > StepLimit)
        {
            throw new FormatException("a demangled name is deeper or larger than the bounds");
        }

        switch (node.Kind)
        {
            case ItaniumKind.Name:
                Append(node.Text);
                break;
            case ItaniumKind.Nested:
                Whole(node.First!);
                Append("::");
                Whole(node.Second!);
                break;
            case ItaniumKind.Local:
                Enclosing(node.First!);
                Append("::");
                Whole(node.Second!);
                break;
            case ItaniumKind.Template:
                Whole(node.First!);
                Arguments(node.Items);
                break;
            case ItaniumKind.Constructor:
                Append(node.Text);
                Append(LastName(node.First!));
                break;
            case ItaniumKind.Tagged:
                Whole(node.First!);
                Append($"[abi:{node.Text}]");
                break;
            case ItaniumKind.Function:
                Function(node);
                break;
            default:
                LeftOfType(node);
                break;
        }

        _depth--;
    }

    private void LeftOfType(ItaniumNode node)
    {
        switch (node.Kind)
        {
            case ItaniumKind.Conversion:
                Append("operator ");
                Whole(node.First!);
                break;
            case ItaniumKind.Special:
                Special(node);
                break;
            case ItaniumKind.Suffix:
                LeftOfSuffix(node);
                break;
            case ItaniumKind.FunctionType:
                Left(node.First!);
                Append(IsPointerToOpen(Actual(node.First!)) ? "" : " ");
                break;
            case ItaniumKind.Array:
                Left(node.First!);
                break;
            case ItaniumKind.MemberPointer:
                Left(node.Second!);
                Append(IsOpen(node.Second!) ? _text.Length > 0 && _text[^1] is ' ' or '(' or '*' ? "(" : " (" : " ");
                Whole(node.First!);
                Append("::*");
                break;
            case ItaniumKind.Forward:
                Left(node.First ?? throw new FormatException("a template parameter without its argument"));
                break;
            case ItaniumKind.Pack:
                Pack(node);
                break;
            case ItaniumKind.Expansion:
                Expand(node.First!);
                break;
            case ItaniumKind.Lambda:
                Append("{lambda(");
                List(node.Items);
                Append($")#{node.Text}}}");
                break;
            default:
                Expression(node);
                break;
        }
    }

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
            case ItaniumKind.Forward:
                Right(node.First!);
                break;
            case ItaniumKind.Pack when _packIndex >= 0 && _packIndex < node.Items.Count:
                WithPackIndex(-1, node.Items[_packIndex], Right);
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
            Append(_text.Length > 0 && _text[^1] is ' ' or '(' or '*' ? "(" : " (");
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

    /// <param name="isItem">Set when the node is an item of the pack being expanded: packs inside it are written whole.</param>
    private ItaniumNode Actual(ItaniumNode node, ref bool isItem)
    {
        for (var steps = 0; steps < DepthLimit; steps++)
        {
            if (node is { Kind: ItaniumKind.Forward, First: { } known })
            {
                node = known;
            }
            else if (!isItem && node.Kind == ItaniumKind.Pack && _packIndex >= 0 && _packIndex < node.Items.Count)
            {
                isItem = true;
                node = node.Items[_packIndex];
            }
            else
            {
                return node;
            }
        }

        throw new FormatException("a template argument refers to itself");
    }

    private bool IsOpen(ItaniumNode node) => Actual(node) is { Kind: ItaniumKind.FunctionType or ItaniumKind.Array } or { Kind: ItaniumKind.Suffix, Text: [' ', ..] } && IsOpenType(Actual(node), 0);

    private bool IsOpenType(ItaniumNode node, int depth) => node.Kind switch
    {
        ItaniumKind.FunctionType or ItaniumKind.Array => true,
        ItaniumKind.Suffix when node.Text.StartsWith(' ') && depth < 8 => IsOpenType(Actual(node.First!), depth + 1),
        _ => false,
    };

    private bool IsPointerToOpen(ItaniumNode node) => node.Kind switch
    {
        ItaniumKind.Suffix => IsPointer(node) && IsOpen(Collapsed(node).Target),
        ItaniumKind.MemberPointer => IsOpen(node.Second!),
        _ => false,
    };

    private static bool IsPointer(ItaniumNode node) => node.Text is "*" or "&" or "&&";

    private void Function(ItaniumNode node)
    {
        if (node.First is not null)
        {
            Left(node.First);
            Append(_text.Length > 0 && _text[^1] == ' ' ? "" : " ");
        }

        Whole(node.Second!);
        Append("(");
        List(node.Items);
        Append(")");
        Append(node.Text);
        if (node.First is not null)
        {
            Right(node.First);
        }
    }

    /// <summary>The function around a local entity: without return type, and with parameters in full names only.</summary>
    private void Enclosing(ItaniumNode node)
    {
        if (node.Kind != ItaniumKind.Function)
        {
            Whole(node);
            return;
        }

        Whole(node.Second!);
        Append("(");
        if (WithParameters)
        {
            List(node.Items);
        }

        Append(")");
        Append(node.Text);
    }

    private void Special(ItaniumNode node)
    {
        Append(node.Text);
        Whole(node.First!);
        if (node.Second is not null)
        {
            Append("-in-");
            Whole(node.Second);
        }
    }
}
