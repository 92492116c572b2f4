namespace ActorProfiler.Collector.Symbols.Demangling;

internal sealed partial class RustV0Demangler
{
    private void Lifetime(ulong index)
    {
        if (index == 0)
        {
            Print("'_");
            return;
        }

        var depth = _boundLifetimes - (long)Math.Min(index, long.MaxValue);
        if (depth < 0)
        {
            throw Unexpected();
        }

        Print(depth < 26 ? $"'{(char)('a' + depth)}" : $"'_{depth}");
    }

    private void Binder(Action inside)
    {
        var outer = _boundLifetimes;
        var count = OptionalBase62('G');
        if (count > 64)
        {
            throw Unexpected();
        }

        if (count > 0)
        {
            Print("for<");
            for (ulong i = 0; i < count; i++)
            {
                _boundLifetimes++;
                Print(i > 0 ? ", " : "");
                Lifetime(1);
            }

            Print("> ");
        }

        inside();
        _boundLifetimes = outer;
    }

    private void Type()
    {
        Enter();
        var tag = Next;
        if (BasicType(tag) is { } basic)
        {
            _at++;
            Print(basic);
        }
        else
        {
            CompoundType(tag);
        }

        _depth--;
    }

    private void CompoundType(char tag)
    {
        switch (tag)
        {
            case 'A' or 'S':
                _at++;
                Print("[");
                Type();
                if (tag == 'A')
                {
                    Print("; ");
                    Constant(isInner: true);
                }

                Print("]");
                break;
            case 'T':
                _at++;
                Tuple();
                break;
            case 'R' or 'Q':
                _at++;
                Print("&");
                if (Skip('L') && Base62() is var lifetime and > 0)
                {
                    Lifetime(lifetime);
                    Print(" ");
                }

                Print(tag == 'Q' ? "mut " : "");
                Type();
                break;
            case 'P' or 'O':
                _at++;
                Print(tag == 'P' ? "*const " : "*mut ");
                Type();
                break;
            case 'F':
                _at++;
                Binder(Function);
                break;
            case 'D':
                _at++;
                DynamicTrait();
                break;
            case 'B':
                _at++;
                Back(Type);
                break;
            default:
                Path(isValue: false);
                break;
        }
    }

    private void Tuple()
    {
        Print("(");
        var count = 0;
        for (; !Skip('E'); count++)
        {
            Print(count > 0 ? ", " : "");
            Type();
        }

        Print(count == 1 ? ",)" : ")");
    }

    private void Function()
    {
        Print(Skip('U') ? "unsafe " : "");
        if (Skip('K'))
        {
            var convention = Skip('C') ? "C" : Identifier().Replace('_', '-');
            Print($"extern \"{convention}\" ");
        }

        Print("fn(");
        for (var i = 0; !Skip('E'); i++)
        {
            Print(i > 0 ? ", " : "");
            Type();
        }

        Print(")");
        if (!Skip('u'))
        {
            Print(" -> ");
            Type();
        }
    }

    private void DynamicTrait()
    {
        Print("dyn ");
        Binder(() =>
        {
            for (var i = 0; !Skip('E'); i++)
            {
                Print(i > 0 ? " + " : "");
                Bound();
            }
        });
        if (!Skip('L'))
        {
            throw Unexpected();
        }

        if (Base62() is var lifetime and > 0)
        {
            Print(" + ");
            Lifetime(lifetime);
        }
    }

    private void Bound()
    {
        var isOpen = OpenPath();
        while (Skip('p'))
        {
            Print(isOpen ? ", " : "<");
            isOpen = true;
            Print(Identifier() + " = ");
            Type();
        }

        Print(isOpen ? ">" : "");
    }

    /// <summary>A path whose generic arguments are not closed yet, so that bounds of associated types can follow. True when there are some.</summary>
    private bool OpenPath()
    {
        Enter();
        var isOpen = false;
        if (Skip('B'))
        {
            Back(() => isOpen = OpenPath());
        }
        else if (Skip('I'))
        {
            Path(isValue: false);
            Print("<");
            for (var i = 0; !Skip('E'); i++)
            {
                Print(i > 0 ? ", " : "");
                if (Skip('L'))
                {
                    Lifetime(Base62());
                }
                else if (Skip('K'))
                {
                    Constant(isInner: false);
                }
                else
                {
                    Type();
                }
            }

            isOpen = true;
        }
        else
        {
            Path(isValue: false);
        }

        _depth--;
        return isOpen;
    }

    private static string? BasicType(char tag) => tag switch
    {
        'a' => "i8",
        'b' => "bool",
        'c' => "char",
        'd' => "f64",
        'e' => "str",
        'f' => "f32",
        'h' => "u8",
        'i' => "isize",
        'j' => "usize",
        'l' => "i32",
        'm' => "u32",
        'n' => "i128",
        'o' => "u128",
        'p' => "_",
        's' => "i16",
        't' => "u16",
        'u' => "()",
        'v' => "...",
        'x' => "i64",
        'y' => "u64",
        'z' => "!",
        _ => null,
    };
}
