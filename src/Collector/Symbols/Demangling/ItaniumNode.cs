namespace ActorProfiler.Collector.Symbols.Demangling;

/// <summary>What a node of a parsed C++ name is; the fields in use are named after each.</summary>
internal enum ItaniumKind
{
    /// <summary>Text.</summary>
    Name,

    /// <summary>First::Second.</summary>
    Nested,

    /// <summary>An entity Second in the function First.</summary>
    Local,

    /// <summary>First&lt;Items&gt;.</summary>
    Template,

    /// <summary>Constructor, or destructor when Text is "~", of the class First.</summary>
    Constructor,

    /// <summary>operator First.</summary>
    Conversion,

    /// <summary>Text before First, and " in Second" behind: "vtable for A".</summary>
    Special,

    /// <summary>A function: return type First or null, name Second, parameters Items, Text behind.</summary>
    Function,

    /// <summary>First and Text behind it: pointers, references and qualifiers.</summary>
    Suffix,

    /// <summary>A type with parameters Items and return type First, Text behind.</summary>
    FunctionType,

    /// <summary>First[Second].</summary>
    Array,

    /// <summary>Pointer to a member Second of the class First.</summary>
    MemberPointer,

    /// <summary>Items of a parameter pack.</summary>
    Pack,

    /// <summary>The pattern First, once for each item of the packs in it.</summary>
    Expansion,

    /// <summary>A template parameter not yet known when it was read; First is set later.</summary>
    Forward,

    /// <summary>First[abi:Text].</summary>
    Tagged,

    /// <summary>{lambda(Items)#Text}.</summary>
    Lambda,

    /// <summary>Text and the Items between it and its end, Items separated by commas; First in front.</summary>
    Expression,
}

/// <summary>A node of a parsed C++ name. Nodes are shared, so the tree may print to far more text than it came from.</summary>
internal sealed class ItaniumNode(ItaniumKind kind)
{
    public ItaniumKind Kind { get; } = kind;

    public string Text { get; init; } = "";

    /// <summary>Closes an <see cref="ItaniumKind.Expression"/>.</summary>
    public string End { get; init; } = "";

    public ItaniumNode? First { get; set; }

    public ItaniumNode? Second { get; init; }

    public IReadOnlyList<ItaniumNode> Items { get; init; } = [];

    public static ItaniumNode Named(string text) => new(ItaniumKind.Name) { Text = text };

    public static ItaniumNode In(ItaniumNode? scope, ItaniumNode name) =>
        scope is null ? name : new(ItaniumKind.Nested) { First = scope, Second = name };

    public static ItaniumNode With(ItaniumNode type, string suffix) => new(ItaniumKind.Suffix) { First = type, Text = suffix };
}
