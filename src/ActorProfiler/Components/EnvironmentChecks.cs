using ActorProfiler.Configuration.Syntax;

namespace ActorProfiler.Commands.Components;

/// <summary>Warns about <c>env("X")</c> where X is not set: the expression is "", which is seldom meant.</summary>
internal static class EnvironmentChecks
{
    public static void Report(SourceFile file, Body body, Func<string, string?> environment, Diagnostics diagnostics)
    {
        foreach (var call in body.Statements.SelectMany(Calls))
        {
            if (IsEnvironment(call.Function) && call.Arguments is [LiteralExpression { Kind: TokenKind.String } name] && environment(name.Text) is null)
            {
                diagnostics.Warning(file, call.Span, $"environment variable \"{name.Text}\" is not set; the expression is \"\"");
            }
        }
    }

    private static bool IsEnvironment(Expression function) =>
        function is IdentifierExpression { Name: "env" } or AccessExpression { Target: IdentifierExpression { Name: "sys" }, Name.Name: "env" };

    private static IEnumerable<CallExpression> Calls(Statement statement) => statement switch
    {
        AttributeStatement attribute => Calls(attribute.Value),
        BlockStatement block => block.Body.Statements.SelectMany(Calls),
        _ => [],
    };

    private static IEnumerable<CallExpression> Calls(Expression expression) => expression switch
    {
        CallExpression call => call.Arguments.SelectMany(Calls).Prepend(call),
        ParenthesizedExpression parentheses => Calls(parentheses.Inner),
        ListExpression list => list.Items.SelectMany(Calls),
        ObjectExpression value => value.Fields.SelectMany(field => Calls(field.Value)),
        AccessExpression access => Calls(access.Target),
        IndexExpression index => Calls(index.Target).Concat(Calls(index.Index)),
        UnaryExpression unary => Calls(unary.Operand),
        BinaryExpression binary => Calls(binary.Left).Concat(Calls(binary.Right)),
        _ => [],
    };
}
