using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace ActorProfiler.Configuration.Evaluation.Functions;

/// <summary>YAML texts and the values of the language.</summary>
public static class YamlValues
{
    private const int DepthLimit = 64;

    /// <summary>Aliases are followed, so a small text can stand for a vast value; past this it is refused.</summary>
    private const int NodesLimit = 100_000;

    /// <exception cref="FormatException">It is not YAML, or too large or deep.</exception>
    public static Value Parse(string text)
    {
        try
        {
            CheckDepth(text);
            var stream = new YamlStream();
            stream.Load(new StringReader(text));
            var nodes = 0;
            return stream.Documents.Count == 0 ? Value.Null : Convert(stream.Documents[0].RootNode, 0, ref nodes);
        }
        catch (YamlException cause)
        {
            throw new FormatException($"line {cause.Start.Line} of the YAML: {cause.Message}", cause);
        }
    }

    /// <summary>Walks over the events, which takes no recursion, before the tree is built, which does.</summary>
    private static void CheckDepth(string text)
    {
        var parser = new Parser(new StringReader(text));
        for (var depth = 0; parser.MoveNext();)
        {
            depth += parser.Current!.NestingIncrease;
            if (depth > DepthLimit)
            {
                throw new FormatException($"the YAML is nested deeper than {DepthLimit}");
            }
        }
    }

    private static Value Convert(YamlNode node, int depth, ref int nodes)
    {
        if (++nodes > NodesLimit || depth > DepthLimit)
        {
            throw new FormatException($"the YAML has more than {NodesLimit} nodes or is nested deeper than {DepthLimit}");
        }

        switch (node)
        {
            case YamlScalarNode scalar:
                return Scalar(scalar);
            case YamlSequenceNode sequence:
                var items = new List<Value>();
                foreach (var item in sequence.Children)
                {
                    items.Add(Convert(item, depth + 1, ref nodes));
                }

                return Value.Of(items);
            case YamlMappingNode mapping:
                var fields = new Dictionary<string, Value>(StringComparer.Ordinal);
                foreach (var (key, value) in mapping.Children)
                {
                    fields[(key as YamlScalarNode)?.Value ?? throw new FormatException("a key of the YAML is not a text")] = Convert(value, depth + 1, ref nodes);
                }

                return Value.Of(fields);
            default:
                throw new FormatException($"the YAML has a node of kind {node.NodeType}, which has no value");
        }
    }

    private static Value Scalar(YamlScalarNode node)
    {
        var text = node.Value ?? "";
        if (node.Style != ScalarStyle.Plain || node.Tag.ToString().EndsWith(":str", StringComparison.Ordinal))
        {
            return Value.Of(text);
        }

        return text switch
        {
            "" or "~" or "null" or "Null" or "NULL" => Value.Null,
            "true" or "True" or "TRUE" => Value.Of(true),
            "false" or "False" or "FALSE" => Value.Of(false),
            _ when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer) => Value.Of(integer),
            _ when (char.IsAsciiDigit(text[0]) || text[0] is '-' or '+' or '.') && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) => Value.Of(number),
            _ => Value.Of(text),
        };
    }
}
