using System.Globalization;
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
                if (IsOpen(node.Second!))
                {
                    Open(node.Second!);
                }
                else
                {
                    Append(" ");
                }

                Whole(node.First!);
                Append("::*");
                break;
            case ItaniumKind.Parameter:
                WithPackIndex(-1, Argument(node), Left);
                break;
            case ItaniumKind.Pack:
                List(node.Items);
                break;
            case ItaniumKind.PackLength:
                Append(LengthOf(node.Items).ToString(CultureInfo.InvariantCulture));
                break;
            case ItaniumKind.Expansion:
                Expand(node.First!);
                break;
            case ItaniumKind.Lambda:
                Lambda(node);
                break;
            case ItaniumKind.Address:
                Address(node.First!);
                break;
            case ItaniumKind.Module or ItaniumKind.Attached:
                OfModule(node);
                break;
            default:
                Expression(node);
                break;
        }
    }
}
