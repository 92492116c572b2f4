using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace ActorProfiler.Collector.Targets.Discovery;

/// <summary>Reads the JSON of other programs into labels.</summary>
internal static partial class JsonLabels
{
    /// <summary>A value as text, down a path of fields; "" when there is none.</summary>
    public static string Text(JsonNode? node, params ReadOnlySpan<string> path)
    {
        foreach (var field in path)
        {
            node = (node as JsonObject)?[field];
        }

        return node switch
        {
            null => "",
            JsonValue value when value.TryGetValue<string>(out var text) => text,
            JsonValue value when value.TryGetValue<bool>(out var flag) => flag ? "true" : "false",
            JsonValue value when value.TryGetValue<long>(out var number) => number.ToString(CultureInfo.InvariantCulture),
            _ => node.ToJsonString(),
        };
    }

    public static IEnumerable<JsonNode> Items(JsonNode? list) => (list as JsonArray)?.OfType<JsonNode>() ?? [];

    /// <summary>Adds each field of an object as <c>prefix + name</c>, letters that no label name may have as underscores.</summary>
    public static void AddAll(Dictionary<string, string> labels, string prefix, JsonNode? fields)
    {
        foreach (var (name, value) in fields as JsonObject ?? [])
        {
            labels[prefix + Forbidden().Replace(name, "_")] = Text(value);
        }
    }

    /// <summary>Adds <c>true</c> for each field of an object.</summary>
    public static void AddPresence(Dictionary<string, string> labels, string prefix, JsonNode? fields)
    {
        foreach (var (name, _) in fields as JsonObject ?? [])
        {
            labels[prefix + Forbidden().Replace(name, "_")] = "true";
        }
    }

    public static string Address(string ip, string port) => ip.Contains(':', StringComparison.Ordinal) ? $"[{ip}]:{port}" : $"{ip}:{port}";

    [GeneratedRegex("[^a-zA-Z0-9_]")]
    private static partial Regex Forbidden();
}
