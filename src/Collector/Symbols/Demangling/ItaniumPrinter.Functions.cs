namespace ActorProfiler.Collector.Symbols.Demangling;

internal sealed partial class ItaniumPrinter
{
    private void Function(ItaniumNode node)
    {
        if (node.First is not null)
        {
            Left(node.First);
            Append(_text.Length > 0 && _text[^1] == ' ' ? "" : " ");
        }

        Whole(node.Second!);
        Append("(");
        List(node.Items);
        Append(")");
        Append(node.Text);
        if (node.First is not null)
        {
            Right(node.First);
        }
    }

    /// <summary>The function around a local entity: without return type, and with parameters in full names only.</summary>
    private void Enclosing(ItaniumNode node)
    {
        if (node.Kind != ItaniumKind.Function)
        {
            Whole(node);
            return;
        }

        Whole(node.Second!);
        Append("(");
        if (WithParameters)
        {
            List(node.Items);
        }

        Append(")");
        Append(node.Text);
    }

    private void Special(ItaniumNode node)
    {
        Append(node.Text);
        Whole(node.First!);
        if (node.Second is not null)
        {
            Append("-in-");
            Whole(node.Second);
        }
    }

    private void Lambda(ItaniumNode node)
    {
        Append("{lambda");
        if (node.First is not null)
        {
            Whole(node.First);
        }

        Append("(");
        List(node.Items);
        Append($")#{node.Text}}}");
    }

    /// <summary>The GNU tools leave out the parameters of a member, and those of the others not.</summary>
    private void Address(ItaniumNode function)
    {
        if (function is { Text: "", Second: { Kind: ItaniumKind.Nested, Second.Kind: not ItaniumKind.Template } member })
        {
            Append("&");
            Whole(member);
            return;
        }

        var isBare = !WithParameters && function.Second!.Kind is ItaniumKind.Name;
        Append(isBare ? "&" : "&(");
        Whole(WithParameters ? function : function.Second!);
        Append(isBare ? "" : ")");
    }

    private void OfModule(ItaniumNode node)
    {
        if (node.First is not null)
        {
            Whole(node.First);
        }

        Append(node.Kind == ItaniumKind.Module ? node.Text : "@");
        if (node.Second is not null)
        {
            Whole(node.Second);
        }
    }
}
