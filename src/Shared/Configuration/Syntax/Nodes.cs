using System.Collections.Immutable;

namespace ActorProfiler.Configuration.Syntax;

/// <summary>A part of a parsed file; <paramref name="Span"/> is where it stands.</summary>
public abstract record Node(Span Span);

public sealed record Identifier(Span Span, string Name) : Node(Span);

/// <summary>The statements between two braces, or of a whole file.</summary>
public sealed record Body(Span Span, ImmutableArray<Statement> Statements) : Node(Span);

public abstract record Statement(Span Span) : Node(Span);

/// <summary><c>name = value</c></summary>
/// <param name="EqualsAt">Offset of the equals sign.</param>
public sealed record AttributeStatement(Span Span, Identifier Name, int EqualsAt, Expression Value) : Statement(Span);

/// <summary><c>name.part "label" { … }</c></summary>
/// <param name="Header">Name and label: what messages about the block point at.</param>
/// <param name="Label">"" when there is none.</param>
/// <param name="OpenAt">Offset of its opening brace.</param>
/// <param name="CloseAt">Offset of its closing brace.</param>
public sealed record BlockStatement(Span Span, Span Header, string Name, string Label, int OpenAt, Body Body, int CloseAt) : Statement(Span)
{
    /// <summary>Name and label joined by a dot: what other blocks call it.</summary>
    public string Id => Label.Length == 0 ? Name : $"{Name}.{Label}";
}

/// <param name="Height">Longest way down to a leaf, at least 1: the parser bounds it, so that recursion over it is safe.</param>
public abstract record Expression(Span Span, int Height) : Node(Span);

/// <param name="Kind">Number, Float, String, Bool or Null.</param>
/// <param name="Text">As written; of a string what it stands for.</param>
public sealed record LiteralExpression(Span Span, TokenKind Kind, string Text) : Expression(Span, 1);

public sealed record IdentifierExpression(Span Span, string Name) : Expression(Span, 1);

public sealed record ListExpression(Span Span, ImmutableArray<Expression> Items)
    : Expression(Span, 1 + Items.Select(item => item.Height).DefaultIfEmpty().Max());

/// <summary><c>name = value</c> in an object.</summary>
public sealed record Field(Span Span, string Name, Span NameSpan, int EqualsAt, Expression Value) : Node(Span);

public sealed record ObjectExpression(Span Span, ImmutableArray<Field> Fields)
    : Expression(Span, 1 + Fields.Select(field => field.Value.Height).DefaultIfEmpty().Max());

/// <summary><c>target.name</c></summary>
public sealed record AccessExpression(Span Span, Expression Target, Identifier Name) : Expression(Span, 1 + Target.Height);

/// <summary><c>target[index]</c></summary>
public sealed record IndexExpression(Span Span, Expression Target, Expression Index) : Expression(Span, 1 + Math.Max(Target.Height, Index.Height));

/// <summary><c>function(arguments)</c></summary>
public sealed record CallExpression(Span Span, Expression Function, ImmutableArray<Expression> Arguments)
    : Expression(Span, 1 + Arguments.Select(argument => argument.Height).Append(Function.Height).Max());

/// <param name="Operator"><c>!</c> or <c>-</c>.</param>
public sealed record UnaryExpression(Span Span, string Operator, Expression Operand) : Expression(Span, 1 + Operand.Height);

public sealed record BinaryExpression(Span Span, Expression Left, string Operator, Expression Right) : Expression(Span, 1 + Math.Max(Left.Height, Right.Height));

public sealed record ParenthesizedExpression(Span Span, Expression Inner) : Expression(Span, 1 + Inner.Height);
