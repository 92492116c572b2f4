using System.Collections.Immutable;
using System.Text.Json;
using ActorProfiler.Configuration.Decoding;
using ActorProfiler.Configuration.Evaluation;
using ActorProfiler.Configuration.Evaluation.Functions;
using ActorProfiler.Labels;

namespace ActorProfiler.Collector.Targets.Discovery;

/// <summary>Reads lists of <c>{"targets": ["host:port", …], "labels": {…}}</c>, the form Prometheus reads from files and URLs.</summary>
internal static class TargetGroups
{
    private const string Address = "__address__";

    private static readonly ArgumentType<ImmutableArray<string>> _targets = ArgumentTypes.List(ArgumentTypes.Text);

    /// <exception cref="FormatException">The text has another form.</exception>
    public static ImmutableArray<LabelSet> ParseJson(string text)
    {
        try
        {
            return Read(JsonValues.Parse(text));
        }
        catch (JsonException cause)
        {
            throw new FormatException($"it is not JSON: {cause.Message}", cause);
        }
    }

    /// <exception cref="FormatException">The text has another form.</exception>
    public static ImmutableArray<LabelSet> ParseYaml(string text) => Read(YamlValues.Parse(text));

    private static ImmutableArray<LabelSet> Read(Value groups)
    {
        if (groups is NullValue)
        {
            return [];
        }

        try
        {
            return groups is ListValue list ? [.. list.Items.SelectMany(Group)] : throw DecodeException.Mismatch("array", groups);
        }
        catch (DecodeException cause)
        {
            throw new FormatException($"expected a list of {{\"targets\": […], \"labels\": {{…}}}}: {string.Join('.', cause.Path)} {cause.Problem}".Replace(":  ", ": ", StringComparison.Ordinal), cause);
        }
    }

    private static IEnumerable<LabelSet> Group(Value group)
    {
        var fields = group as ObjectValue ?? throw DecodeException.Mismatch("object", group);
        var labels = fields.Fields.TryGetValue("labels", out var written) && written is not NullValue ? ArgumentTypes.Labels.Decode(written) : LabelSet.Empty;
        var targets = fields.Fields.TryGetValue("targets", out var listed) ? _targets.Decode(listed) : throw new DecodeException("has no \"targets\"");
        return targets.Select(target => LabelSet.Of((Address, target)).With(labels));
    }
}
