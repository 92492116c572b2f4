using ActorProfiler.Configuration.Syntax;

namespace ActorProfiler.Configuration.Evaluation;

/// <summary>A name an expression uses, with the fields taken of it: <c>discovery.process.all.targets</c> is four parts.</summary>
public sealed record Reference(IReadOnlyList<Identifier> Parts, Span Span)
{
    public string Text => string.Join('.', Parts.Select(part => part.Name));
}

/// <summary>Finds what an expression depends on, without evaluating it.</summary>
public static class References
{
    public static IEnumerable<Reference> In(Body body) => body.Statements.SelectMany(statement => statement switch
    {
        AttributeStatement attribute => In(attribute.Value),
        BlockStatement block => In(block.Body),
        _ => [],
    });

    public static IEnumerable<Reference> In(Expression expression)
    {
        if (Chain(expression) is { } parts)
        {
            return [new Reference(parts, expression.Span)];
        }

        return expression switch
        {
            ParenthesizedExpression parentheses => In(parentheses.Inner),
            ListExpression list => list.Items.SelectMany(In),
            ObjectExpression value => value.Fields.SelectMany(field => In(field.Value)),
            AccessExpression access => In(access.Target),
            IndexExpression index => In(index.Target).Concat(In(index.Index)),
            CallExpression call => In(call.Function).Concat(call.Arguments.SelectMany(In)),
            UnaryExpression unary => In(unary.Operand),
            BinaryExpression binary => In(binary.Left).Concat(In(binary.Right)),
            _ => [],
        };
    }

    private static List<Identifier>? Chain(Expression expression)
    {
        var parts = new List<Identifier>();
        while (expression is AccessExpression access)
        {
            parts.Add(access.Name);
            expression = access.Target;
        }

        if (expression is not IdentifierExpression name)
        {
            return null;
        }

        parts.Add(new Identifier(name.Span, name.Name));
        parts.Reverse();
        return parts;
    }
}
