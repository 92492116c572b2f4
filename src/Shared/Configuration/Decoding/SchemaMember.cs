using ActorProfiler.Configuration.Syntax;

namespace ActorProfiler.Configuration.Decoding;

/// <summary>One argument or block as the documentation lists it.</summary>
/// <param name="Path">Names from the component down, such as <c>endpoint.basic_auth.username</c>.</param>
/// <param name="Type">Type of the argument, or <c>block</c>.</param>
/// <param name="Default">As it would stand in a file; "" when it is required or a block.</param>
/// <param name="Range">Allowed values in words; "" when all are.</param>
public sealed record ArgumentDescription(string Path, string Type, string Default, string Range, bool IsRequired, string Doc);

/// <summary>A name that may stand in a block of options of type <typeparamref name="T"/>.</summary>
internal abstract record SchemaMember<T>(string Name, bool IsBlock)
{
    /// <summary>Decodes the statements of this name, which may be none, into the options.</summary>
    /// <param name="header">Of the block they stand in: where a missing one is reported.</param>
    public abstract T Decode(T options, IReadOnlyList<Statement> statements, Span header, DecodeContext context);

    public abstract IEnumerable<ArgumentDescription> Describe(T defaults);
}

/// <summary><c>name = value</c></summary>
internal sealed record AttributeMember<T, TValue>(
    string Name, ArgumentType<TValue> Type, Func<T, TValue?>? Get, Func<T, TValue, T> Set, bool IsRequired, string Doc) : SchemaMember<T>(Name, IsBlock: false)
{
    public override T Decode(T options, IReadOnlyList<Statement> statements, Span header, DecodeContext context)
    {
        var attributes = statements.Cast<AttributeStatement>().ToArray();
        foreach (var again in attributes.Skip(1))
        {
            context.Error(again.Name.Span, $"attribute \"{Name}\" may only be provided once");
        }

        if (attributes.Length == 0 || (DecodeContext.IsNull(attributes[0]) && !IsRequired))
        {
            if (IsRequired)
            {
                context.Error(header, $"missing required attribute \"{Name}\"");
            }

            return options;
        }

        return context.TryDecode(attributes[0], Type, out var value) ? Set(options, value) : options;
    }

    public override IEnumerable<ArgumentDescription> Describe(T defaults)
    {
        var preset = Get is null ? default : Get(defaults);
        return [new ArgumentDescription(Name, Type.Name, IsRequired || preset is null ? "" : Type.Write(preset), Type.Range, IsRequired, Doc)];
    }
}

/// <summary>An attribute that is accepted for compatibility and changes nothing; it says so.</summary>
/// <remarks>Its value must still be one.</remarks>
internal sealed record IgnoredMember<T, TValue>(string Name, ArgumentType<TValue> Type, string Why) : SchemaMember<T>(Name, IsBlock: false)
{
    public override T Decode(T options, IReadOnlyList<Statement> statements, Span header, DecodeContext context)
    {
        foreach (var attribute in statements.Cast<AttributeStatement>())
        {
            context.Warning(attribute.Name.Span, $"\"{Name}\" has no effect: {Why}");
            if (!DecodeContext.IsNull(attribute))
            {
                context.TryDecode(attribute, Type, out _);
            }
        }

        return options;
    }

    public override IEnumerable<ArgumentDescription> Describe(T defaults) => [new ArgumentDescription(Name, Type.Name, "", Type.Range, IsRequired: false, $"No effect: {Why}")];
}

/// <summary><c>name { … }</c></summary>
/// <param name="Least">0 or 1.</param>
/// <param name="Most">1, or any number.</param>
internal sealed record BlockMember<T, TBlock>(
    string Name, BlockSchema<TBlock> Schema, Func<T, IReadOnlyList<TBlock>, T> Set, int Least, int Most, string Doc) : SchemaMember<T>(Name, IsBlock: true)
{
    public override T Decode(T options, IReadOnlyList<Statement> statements, Span header, DecodeContext context)
    {
        var blocks = statements.Cast<BlockStatement>().ToArray();
        if (blocks.Length < Least)
        {
            context.Error(header, $"missing required block \"{Name}\"");
        }

        foreach (var again in blocks.Skip(Most))
        {
            context.Error(again.Header, $"block \"{Name}\" may only be specified once");
        }

        return blocks.Length == 0 ? options : Set(options, [.. blocks.Take(Most).Select(block => Schema.Decode(block, context))]);
    }

    public override IEnumerable<ArgumentDescription> Describe(T defaults) =>
        Schema.Describe().Select(inner => inner with { Path = $"{Name}.{inner.Path}" })
            .Prepend(new ArgumentDescription(Name, Most > 1 ? "block, any number" : "block", "", "", Least > 0, Doc));
}
