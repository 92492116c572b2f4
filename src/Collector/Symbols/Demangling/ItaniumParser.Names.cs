using System.Globalization;

namespace ActorProfiler.Collector.Symbols.Demangling;

internal sealed partial class ItaniumParser
{
    private ItaniumNode Name(NameState state) => Deeper(() =>
    {
        if (Next == 'N')
        {
            return NestedName(state);
        }

        if (Next == 'Z')
        {
            return LocalName(state);
        }

        if (Next == 'S' && After != 't')
        {
            var known = Substitution();
            if (known.Kind != ItaniumKind.Module)
            {
                return Next == 'I' ? WithArguments(known, state) : known;
            }

            return WithTemplate(UnqualifiedName(null, state, known), state);
        }

        return WithTemplate(UnscopedName(state), state);
    });

    private ItaniumNode WithTemplate(ItaniumNode name, NameState state)
    {
        if (Next != 'I')
        {
            return name;
        }

        _substitutions.Add(name);
        return WithArguments(name, state);
    }

    private ItaniumNode UnscopedName(NameState state) =>
        Skip("St") ? ItaniumNode.In(ItaniumNode.Named("std"), UnqualifiedName(null, state)) : UnqualifiedName(null, state);

    private ItaniumNode WithArguments(ItaniumNode template, NameState? state)
    {
        var arguments = TemplateArguments(state is not null);
        if (state is not null)
        {
            state.EndsWithArguments = true;
        }

        return new ItaniumNode(ItaniumKind.Template) { First = template, Items = arguments };
    }

    private ItaniumNode NestedName(NameState state)
    {
        Expect('N');
        state.HasExplicitObject = Skip('H');
        var qualifiers = Qualifiers();
        qualifiers += Skip('O') ? " &&" : Skip('R') ? " &" : "";
        ItaniumNode? scope = null;
        while (!Skip('E'))
        {
            state.EndsWithArguments = false;
            if (Skip('M'))
            {
                continue; // the scope is a data member's initializer
            }

            if (Next == 'S' && After != 't')
            {
                var known = Substitution();
                scope = known.Kind == ItaniumKind.Module ? ItaniumNode.In(scope, UnqualifiedName(scope, state, known)) : scope is null ? known : throw Unexpected();
                if (known.Kind != ItaniumKind.Module)
                {
                    continue; // is one already
                }
            }
            else
            {
                scope = NestedPart(scope, state);
            }

            _substitutions.Add(scope);
        }

        if (scope is null || _substitutions.Count == 0)
        {
            throw Unexpected();
        }

        _substitutions.RemoveAt(_substitutions.Count - 1); // the whole name is no substitution
        state.Qualifiers = qualifiers;
        return scope;
    }

    private ItaniumNode NestedPart(ItaniumNode? scope, NameState state)
    {
        if (Next == 'I')
        {
            return WithArguments(scope ?? throw Unexpected(), state);
        }

        state.IsConstructorOrConversion = false;
        if (Next == 'T')
        {
            return scope is null ? TemplateParameter() : throw Unexpected();
        }

        if (Next == 'D' && After is 't' or 'T')
        {
            return DeclaredType();
        }

        if (Skip("St"))
        {
            return ItaniumNode.In(ItaniumNode.Named("std"), UnqualifiedName(null, state));
        }

        if (scope is not null && (Next == 'C' || (Next == 'D' && After is >= '0' and <= '5')))
        {
            return ConstructorName(ref scope, state);
        }

        return ItaniumNode.In(scope, UnqualifiedName(scope, state));
    }

    private ItaniumNode ConstructorName(ref ItaniumNode scope, NameState state)
    {
        var isDestructor = Next == 'D';
        _at++;
        var isInheriting = !isDestructor && Skip('I');
        if (!char.IsAsciiDigit(Next))
        {
            throw Unexpected();
        }

        _at++;
        var inherited = isInheriting ? Name(new NameState()) : null; // a base's constructor, and named after it
        state.IsConstructorOrConversion = true;
        var full = FullStandardName(scope);
        var constructor = new ItaniumNode(ItaniumKind.Constructor) { First = inherited ?? full, Text = isDestructor ? "~" : "" };
        return ItaniumNode.In(full, Tagged(constructor));
    }

    private ItaniumNode Tagged(ItaniumNode name)
    {
        while (Skip('B'))
        {
            name = new ItaniumNode(ItaniumKind.Tagged) { First = name, Text = SourceText() };
        }

        return name;
    }

    /// <param name="knownModule">The module of the name, or the one around it, when a substitution gave it already.</param>
    private ItaniumNode UnqualifiedName(ItaniumNode? scope, NameState state, ItaniumNode? knownModule = null)
    {
        var module = Module(knownModule);
        var isFriend = Skip('F');
        Skip('L'); // internal linkage
        var name = Next == 'U' && After is 't' or 'l' or 'b' ? UnnamedType()
            : char.IsAsciiDigit(Next) ? ItaniumNode.Named(SourceText())
            : Skip("DC") ? new ItaniumNode(ItaniumKind.Expression) { Text = "[", Items = ArgumentsUntilEnd(() => ItaniumNode.Named(SourceText())), End = "]" }
            : Next == 'C' && scope is not null ? throw Unexpected()
            : OperatorName(state, isDeclared: true);
        name = module is null ? name : new ItaniumNode(ItaniumKind.Attached) { First = name, Second = module };
        name = isFriend ? Wrapped("", name, "[friend]") : name;
        return Tagged(name);
    }

    private ItaniumNode? Module(ItaniumNode? within)
    {
        while (Skip('W'))
        {
            var separator = Skip('P') ? ":" : within is null ? "" : ".";
            within = new ItaniumNode(ItaniumKind.Module) { First = within, Text = separator + SourceText() };
            _substitutions.Add(within);
        }

        return within;
    }

    private string SourceText()
    {
        var length = Number();
        if (length <= 0 || length > _text.Length - _at)
        {
            throw Unexpected();
        }

        var name = _text.Substring(_at, length);
        _at += length;
        return name.Length >= 10 && name.StartsWith("_GLOBAL_", StringComparison.Ordinal) && name[8] is '_' or '.' or '$' && name[9] == 'N'
            ? "(anonymous namespace)"
            : name;
    }

    private ItaniumNode UnnamedType()
    {
        if (Skip("Ut"))
        {
            return ItaniumNode.Named($"{{unnamed type#{Sequence(10) + 1}}}");
        }

        if (Skip("Ub"))
        {
            return ItaniumNode.Named($"{{block#{Sequence(10) + 1}}}");
        }

        Expect('U');
        Expect('l');
        var outer = _lambdaParameters;
        _lambdaParameters = [];
        var declarations = Declarations(_lambdaParameters);
        Constraint();
        var parameters = Parameters(() => Next is 'E' or 'Q');
        Constraint();
        _lambdaParameters = outer;
        Expect('E');
        return new ItaniumNode(ItaniumKind.Lambda)
        {
            First = declarations.Count > 0 ? new ItaniumNode(ItaniumKind.Expression) { Text = "<", Items = declarations, End = ">" } : null,
            Items = parameters,
            Text = (Sequence(10) + 1).ToString(CultureInfo.InvariantCulture),
        };
    }

    private ItaniumNode LocalName(NameState state)
    {
        Expect('Z');
        var function = Encoding();
        Expect('E');
        if (Skip('s'))
        {
            Discriminator();
            return new ItaniumNode(ItaniumKind.Local) { First = function, Second = ItaniumNode.Named("string literal") };
        }

        if (Skip('d'))
        {
            var number = Sequence(10) + 1;
            var inside = Name(state);
            return new ItaniumNode(ItaniumKind.Local) { First = function, Second = ItaniumNode.In(ItaniumNode.Named($"{{default arg#{number}}}"), inside) };
        }

        var entity = Name(state);
        Discriminator();
        return new ItaniumNode(ItaniumKind.Local) { First = function, Second = entity };
    }

    private void Discriminator()
    {
        if (Next == '_' && char.IsAsciiDigit(After))
        {
            _at++;
            Number();
        }
        else if (Next == '_' && After == '_')
        {
            _at += 2;
            Number();
            Skip('_');
        }
    }

    /// <summary>Constructors of the standard abbreviations are named after the class behind them.</summary>
    private static ItaniumNode FullStandardName(ItaniumNode scope)
    {
        foreach (var (_, name, full) in _standard)
        {
            if (scope.Kind == ItaniumKind.Name && full.Length > 0 && scope.Text == "std::" + name)
            {
                ItaniumNode[] character = [ItaniumNode.Named("char")];
                ItaniumNode traits = new(ItaniumKind.Template) { First = ItaniumNode.Named("std::char_traits"), Items = character };
                ItaniumNode allocator = new(ItaniumKind.Template) { First = ItaniumNode.Named("std::allocator"), Items = character };
                return new ItaniumNode(ItaniumKind.Template)
                {
                    First = ItaniumNode.In(ItaniumNode.Named("std"), ItaniumNode.Named(full)),
                    Items = name == "string" ? [character[0], traits, allocator] : [character[0], traits],
                };
            }
        }

        return scope;
    }

    private static readonly (char Code, string Name, string Full)[] _standard =
    [
        ('a', "allocator", ""), ('b', "basic_string", ""), ('s', "string", "basic_string"), ('i', "istream", "basic_istream"),
        ('o', "ostream", "basic_ostream"), ('d', "iostream", "basic_iostream"),
    ];
}
