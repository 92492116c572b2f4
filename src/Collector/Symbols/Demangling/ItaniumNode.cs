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

    /// <summary>A type with parameters Items and return type First, Text behind, and behind that Second or null: the exceptions it may throw.</summary>
    FunctionType,

    /// <summary>First[Second].</summary>
    Array,

    /// <summary>Pointer to a member Second of the class First.</summary>
    MemberPointer,

    /// <summary>Items of a parameter pack.</summary>
    Pack,

    /// <summary>The pattern First, once for each item of the packs in it.</summary>
    Expansion,

    /// <summary>The template parameter number Index; First is its argument, set later when that was not known yet.</summary>
    Parameter,

    /// <summary>First[abi:Text].</summary>
    Tagged,

    /// <summary>{lambda&lt;First&gt;(Items)#Text}, First or null being what its template parameters are declared as.</summary>
    Lambda,

    /// <summary>How many items Items are once the packs in them are expanded.</summary>
    PackLength,

    /// <summary>The address of the function First.</summary>
    Address,

    /// <summary>A C++20 module: Text, within the module First or null.</summary>
    Module,

    /// <summary>First@Second: an entity First of the module Second.</summary>
    Attached,

    /// <summary>Text and the Items between it and its end, Items separated by commas; First in front.</summary>
    Expression,
}

/// <summary>A node of a parsed C++ name. Nodes are shared, so the tree may print to far more text than it came from.</summary>
internal sealed class ItaniumNode(ItaniumKind kind)
{
    public ItaniumKind Kind { get; } = kind;

    /// <summary>True when a template parameter is in the node: what it stands for depends on where the node is used, but for those of a function or lambda in it.</summary>
    public bool HasParameter { get; private set; } = kind == ItaniumKind.Parameter;

    public string Text { get; init; } = "";

    /// <summary>Closes an <see cref="ItaniumKind.Expression"/>.</summary>
    public string End { get; init; } = "";

    public int Index { get; init; }

    public ItaniumNode? First
    {
        get;
        set
        {
            field = value;
            Contains(value);
        }
    }

    public ItaniumNode? Second
    {
        get;
        init
        {
            field = value;
            Contains(value);
        }
    }

    public IReadOnlyList<ItaniumNode> Items
    {
        get;
        init
        {
            field = value;
            foreach (var item in value)
            {
                Contains(item);
            }
        }
    } = [];

    private void Contains(ItaniumNode? part) => HasParameter |= part is { HasParameter: true } && Kind is not (ItaniumKind.Function or ItaniumKind.Lambda);

    public static ItaniumNode Named(string text) => new(ItaniumKind.Name) { Text = text };

    public static ItaniumNode In(ItaniumNode? scope, ItaniumNode name) =>
        scope is null ? name : new(ItaniumKind.Nested) { First = scope, Second = name };

    public static ItaniumNode With(ItaniumNode type, string suffix) => new(ItaniumKind.Suffix) { First = type, Text = suffix };
}
