namespace ActorProfiler.Collector.Symbols.Demangling;

internal sealed partial class ItaniumParser
{
    private ItaniumNode SpecialName()
    {
        foreach (var (code, prefix) in _typeSpecials)
        {
            if (Skip(code))
            {
                return new ItaniumNode(ItaniumKind.Special) { Text = prefix, First = code == "TA" ? TemplateArgument() : Type() };
            }
        }

        foreach (var (code, prefix) in _nameSpecials)
        {
            if (Skip(code))
            {
                return new ItaniumNode(ItaniumKind.Special) { Text = prefix, First = Name(new NameState()) };
            }
        }

        if (Skip("TC"))
        {
            var derived = Type();
            Number();
            Expect('_');
            return new ItaniumNode(ItaniumKind.Special) { Text = "construction vtable for ", First = Type(), Second = derived };
        }

        if (Skip("GR"))
        {
            var name = Name(new NameState());
            var number = AtEndOfEncoding && Next != '_' ? 0 : Sequence(36);
            return new ItaniumNode(ItaniumKind.Special) { Text = $"reference temporary #{number} for ", First = name };
        }

        return Skip("GI") ? new ItaniumNode(ItaniumKind.Special) { Text = "initializer for module ", First = Module(null) ?? throw Unexpected() } : Thunk();
    }

    private ItaniumNode Thunk()
    {
        if (Skip("GTt") || Skip("GTn"))
        {
            var isSafe = _text[_at - 1] == 't';
            return new ItaniumNode(ItaniumKind.Special) { Text = isSafe ? "transaction clone for " : "non-transaction clone for ", First = Encoding() };
        }

        if (Skip("Tc"))
        {
            CallOffset();
            CallOffset();
            return new ItaniumNode(ItaniumKind.Special) { Text = "covariant return thunk to ", First = Encoding() };
        }

        Expect('T');
        var isVirtual = Next == 'v';
        CallOffset();
        return new ItaniumNode(ItaniumKind.Special) { Text = isVirtual ? "virtual thunk to " : "non-virtual thunk to ", First = Encoding() };
    }

    private void CallOffset()
    {
        var isVirtual = Next == 'v';
        if (!isVirtual && Next != 'h')
        {
            throw Unexpected();
        }

        _at++;
        SignedNumber();
        Expect('_');
        if (isVirtual)
        {
            SignedNumber();
            Expect('_');
        }
    }

    private void SignedNumber()
    {
        Skip('n');
        Number();
    }

    private static readonly (string Code, string Prefix)[] _typeSpecials =
    [
        ("TV", "vtable for "), ("TT", "VTT for "), ("TI", "typeinfo for "), ("TS", "typeinfo name for "), ("TA", "template parameter object for "),
        ("TF", "typeinfo fn for "), ("TJ", "java Class for "),
    ];

    private static readonly (string Code, string Prefix)[] _nameSpecials =
        [("GV", "guard variable for "), ("TW", "TLS wrapper function for "), ("TH", "TLS init function for ")];
}
