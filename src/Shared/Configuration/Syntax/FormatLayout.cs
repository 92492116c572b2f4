namespace ActorProfiler.Configuration.Syntax;

/// <summary>What the formatter needs to know of the tree, by offset of the token.</summary>
internal sealed class FormatLayout
{
    private readonly HashSet<int> _statements = [];
    private readonly HashSet<int> _laterBlocks = [];
    private readonly HashSet<int> _blockBraces = [];
    private readonly HashSet<int> _equals = [];
    private readonly HashSet<int> _unary = [];
    private readonly List<Span> _attributes = [];

    public FormatLayout(Body body) => Visit(body);

    public bool StartsStatement(Token token) => _statements.Contains(token.Span.Start);

    /// <summary>Whether a block begins here that is not the first statement around it: a blank line sets it off.</summary>
    public bool StartsLaterBlock(Token token) => _laterBlocks.Contains(token.Span.Start);

    public bool IsBlockBrace(Token token) => _blockBraces.Contains(token.Span.Start);

    /// <summary>Whether it is the equals sign of an attribute or field.</summary>
    public bool IsEquals(Token token) => _equals.Contains(token.Span.Start);

    public bool IsUnary(Token token) => _unary.Contains(token.Span.Start);

    /// <summary>Whether an attribute has begun before this offset and not yet ended.</summary>
    public bool IsInsideAttribute(int offset)
    {
        var (low, high) = (0, _attributes.Count - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (offset > _attributes[middle].Start && offset < _attributes[middle].End)
            {
                return true;
            }

            (low, high) = offset <= _attributes[middle].Start ? (low, middle - 1) : (middle + 1, high);
        }

        return false;
    }

    private void Visit(Body body)
    {
        foreach (var statement in body.Statements)
        {
            _statements.Add(statement.Span.Start);
            switch (statement)
            {
                case BlockStatement block:
                    if (!ReferenceEquals(statement, body.Statements[0]))
                    {
                        _laterBlocks.Add(statement.Span.Start);
                    }

                    _blockBraces.Add(block.OpenAt);
                    _blockBraces.Add(block.CloseAt);
                    Visit(block.Body);
                    break;
                case AttributeStatement attribute:
                    _equals.Add(attribute.EqualsAt);
                    _attributes.Add(attribute.Span);
                    Visit(attribute.Value);
                    break;
            }
        }
    }

    private void Visit(Expression expression)
    {
        switch (expression)
        {
            case ObjectExpression value:
                foreach (var field in value.Fields)
                {
                    _equals.Add(field.EqualsAt);
                    Visit(field.Value);
                }

                break;
            case ListExpression list:
                list.Items.ToList().ForEach(Visit);
                break;
            case CallExpression call:
                Visit(call.Function);
                call.Arguments.ToList().ForEach(Visit);
                break;
            case UnaryExpression unary:
                _unary.Add(unary.Span.Start);
                Visit(unary.Operand);
                break;
            case BinaryExpression binary:
                Visit(binary.Left);
                Visit(binary.Right);
                break;
            case ParenthesizedExpression parentheses:
                Visit(parentheses.Inner);
                break;
            case AccessExpression access:
                Visit(access.Target);
                break;
            case IndexExpression index:
                Visit(index.Target);
                Visit(index.Index);
                break;
        }
    }
}
