using System.Collections.Immutable;
using ActorProfiler.Configuration.Syntax;

namespace ActorProfiler.Configuration.Decoding;

/// <summary>Whether a block has a label after its name.</summary>
public enum LabelRule
{
    None,
    Optional,
    Required,
}

/// <summary>
/// What may stand in a block, declared once: names, types, ranges and meaning here, defaults in the options record itself.
/// It decodes blocks, reports every mistake in them, and describes itself for the documentation.
/// </summary>
/// <typeparam name="T">The options: an immutable record whose initial values are the defaults.</typeparam>
/// <remarks>
/// Immutable; each method returns a schema with one more member.
/// <code>
/// static readonly BlockSchema&lt;EndpointOptions&gt; Schema = new BlockSchema&lt;EndpointOptions&gt;(() =&gt; new())
///     .Required("url", ArgumentTypes.Text, (options, url) =&gt; options with { Url = url }, "Where profiles are pushed to.")
///     .Optional("remote_timeout", ArgumentTypes.Duration(…), options =&gt; options.Timeout, (options, value) =&gt; options with { Timeout = value }, "…");
/// </code>
/// </remarks>
public sealed class BlockSchema<T>
{
    private readonly Func<T> _defaults;
    private readonly ImmutableArray<SchemaMember<T>> _members;
    private readonly ImmutableArray<Action<T>> _checks;

    public BlockSchema(Func<T> defaults, LabelRule label = LabelRule.None)
        : this(defaults, label, [], [])
    {
    }

    private BlockSchema(Func<T> defaults, LabelRule label, ImmutableArray<SchemaMember<T>> members, ImmutableArray<Action<T>> checks)
    {
        _defaults = defaults;
        Label = label;
        _members = members;
        _checks = checks;
    }

    public LabelRule Label { get; }

    /// <summary>An attribute that must be there.</summary>
    public BlockSchema<T> Required<TValue>(string name, ArgumentType<TValue> type, Func<T, TValue, T> set, string doc) =>
        With(new AttributeMember<T, TValue>(name, type, null, set, IsRequired: true, doc));

    /// <summary>An attribute whose default is what <paramref name="get"/> reads from fresh options; written as null it is as if absent.</summary>
    public BlockSchema<T> Optional<TValue>(string name, ArgumentType<TValue> type, Func<T, TValue?> get, Func<T, TValue, T> set, string doc) =>
        With(new AttributeMember<T, TValue>(name, type, get, set, IsRequired: false, doc));

    /// <summary>An attribute that is accepted, warned about and left alone.</summary>
    public BlockSchema<T> Ignored<TValue>(string name, ArgumentType<TValue> type, string why) => With(new IgnoredMember<T, TValue>(name, type, why));

    /// <summary>A block that may stand there once.</summary>
    public BlockSchema<T> Block<TBlock>(string name, BlockSchema<TBlock> schema, Func<T, TBlock, T> set, string doc, bool isRequired = false) =>
        With(new BlockMember<T, TBlock>(name, schema, (options, blocks) => set(options, blocks[0]), isRequired ? 1 : 0, Most: 1, doc));

    /// <summary>A block that may stand there any number of times.</summary>
    public BlockSchema<T> Blocks<TBlock>(string name, BlockSchema<TBlock> schema, Func<T, IReadOnlyList<TBlock>, T> set, string doc) =>
        With(new BlockMember<T, TBlock>(name, schema, set, Least: 0, int.MaxValue, doc));

    /// <summary>A rule over several arguments: it throws <see cref="FormatException"/> when they do not fit each other.</summary>
    public BlockSchema<T> Check(Action<T> check) => new(_defaults, Label, _members, _checks.Add(check));

    /// <summary>Decodes a block. What comes back is only to be used when <paramref name="context"/> has got no error.</summary>
    public T Decode(BlockStatement block, DecodeContext context)
    {
        if (Label == LabelRule.None && block.Label.Length > 0)
        {
            context.Error(block.Header, $"block \"{block.Name}\" does not support specifying labels");
        }
        else if (Label == LabelRule.Required && block.Label.Length == 0)
        {
            context.Error(block.Header, $"block \"{block.Name}\" requires non-empty label");
        }

        return Decode(block.Body, block.Header, context);
    }

    /// <param name="header">Where what is missing is reported.</param>
    public T Decode(Body body, Span header, DecodeContext context)
    {
        var known = new Dictionary<string, List<Statement>>(StringComparer.Ordinal);
        var wrong = false;
        foreach (var statement in body.Statements)
        {
            var (name, span, isBlock) = statement is BlockStatement block ? (block.Name, block.Header, true) : Attribute((AttributeStatement)statement);
            var member = _members.FirstOrDefault(member => member.Name == name);
            if (member is null || member.IsBlock != isBlock)
            {
                wrong = true;
                context.Error(span, Unknown(name, isBlock, member));
                continue;
            }

            (known.TryGetValue(name, out var statements) ? statements : known[name] = []).Add(statement);
        }

        var errors = context.ErrorCount;
        var options = _defaults();
        foreach (var member in _members)
        {
            options = member.Decode(options, known.GetValueOrDefault(member.Name, []), header, context);
        }

        if (!wrong && context.ErrorCount == errors)
        {
            CheckWhole(options, header, context);
        }

        return options;
    }

    /// <summary>All its arguments and blocks in the order they were declared.</summary>
    public IEnumerable<ArgumentDescription> Describe()
    {
        var defaults = _defaults();
        return _members.SelectMany(member => member.Describe(defaults));
    }

    private static (string Name, Span Span, bool IsBlock) Attribute(AttributeStatement attribute) => (attribute.Name.Name, attribute.Name.Span, false);

    private string Unknown(string name, bool isBlock, SchemaMember<T>? member)
    {
        if (member is not null)
        {
            return isBlock ? $"\"{name}\" must be an attribute, but is used as a block" : $"\"{name}\" must be a block, but is used as an attribute";
        }

        var hint = Spelling.DidYouMean(name, _members.Select(known => known.Name));
        return isBlock ? $"unrecognized block name \"{name}\"{hint}" : $"unrecognized attribute name \"{name}\"{hint}";
    }

    private void CheckWhole(T options, Span header, DecodeContext context)
    {
        foreach (var check in _checks)
        {
            try
            {
                check(options);
            }
            catch (FormatException cause)
            {
                context.Error(header, cause.Message);
            }
        }
    }

    private BlockSchema<T> With(SchemaMember<T> member) =>
        _members.All(known => known.Name != member.Name)
            ? new(_defaults, Label, _members.Add(member), _checks)
            : throw new InvalidOperationException($"the schema has \"{member.Name}\" already");
}
