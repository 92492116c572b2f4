using System.Collections.Immutable;
using System.Globalization;

namespace ActorProfiler.Configuration.Evaluation.Functions;

/// <summary>A path into a JSON value: names, indexes, slices, wildcards, descent and filters.</summary>
/// <remarks>
/// <c>$</c> at the start is optional. Steps: <c>.name</c>, <c>['name']</c>, <c>[0]</c>, <c>[-1]</c>, <c>[1:3]</c>, <c>[*]</c>, <c>.*</c>, <c>..name</c>,
/// <c>[?(@.name == "text")]</c> with <c>== != &lt; &lt;= &gt; &gt;=</c> or none for "is there". https://goessner.net/articles/JsonPath/
/// </remarks>
internal sealed class JsonPathQuery(ImmutableArray<Func<Value, IEnumerable<Value>>> steps)
{
    private const int LengthLimit = 1024;
    private const int ResultsLimit = 100_000;

    /// <exception cref="FormatException">The path has another form.</exception>
    public static JsonPathQuery Parse(string path) => path.Length <= LengthLimit
        ? new JsonPathReader(path).Read()
        : throw new FormatException($"the path has {path.Length} characters, more than {LengthLimit}");

    public IEnumerable<Value> Find(Value root)
    {
        IReadOnlyList<Value> found = [root];
        foreach (var step in steps)
        {
            found = [.. found.SelectMany(step).Take(ResultsLimit + 1)];
            if (found.Count > ResultsLimit)
            {
                throw new FormatException($"the path finds more than {ResultsLimit} values");
            }
        }

        return found;
    }

    public static IEnumerable<Value> Field(Value value, string name) =>
        value is ObjectValue fields && fields.Fields.TryGetValue(name, out var field) ? [field] : [];

    public static IEnumerable<Value> Children(Value value) => value switch
    {
        ObjectValue fields => fields.Fields.Values,
        ListValue list => list.Items,
        _ => [],
    };

    public static IEnumerable<Value> Descendants(Value value) => Children(value).SelectMany(Descendants).Prepend(value);

    public static IEnumerable<Value> Slice(Value value, int? from, int? until)
    {
        if (value is not ListValue list)
        {
            return [];
        }

        var (start, end) = (At(from ?? 0, list), At(until ?? list.Items.Length, list));
        return start < end ? list.Items[start..end] : [];
    }

    public static IEnumerable<Value> Item(Value value, int index) =>
        value is ListValue list && (index < 0 ? index + list.Items.Length : index) is var at && at >= 0 && at < list.Items.Length ? [list.Items[at]] : [];

    /// <param name="operation">"" asks only whether the path finds something.</param>
    public static IEnumerable<Value> Filter(Value value, JsonPathQuery path, string operation, Value other) =>
        Children(value).Where(child => path.Find(child).Any(found => operation.Length == 0 || Holds(found, operation, other)));

    private static int At(int index, ListValue list) => Math.Clamp(index < 0 ? index + list.Items.Length : index, 0, list.Items.Length);

    private static bool Holds(Value left, string operation, Value right)
    {
        int? order = (left, right) switch
        {
            (NumberValue one, NumberValue other) => one.CompareTo(other),
            (StringValue one, StringValue other) => string.CompareOrdinal(one.Value, other.Value),
            _ => null,
        };
        return operation switch
        {
            "==" => Value.AreEqual(left, right),
            "!=" => !Value.AreEqual(left, right),
            "<" => order < 0,
            "<=" => order <= 0,
            ">" => order > 0,
            _ => order >= 0,
        };
    }
}
