using System.Collections.Immutable;

namespace ActorProfiler.Configuration.Evaluation.Functions;

/// <summary>Functions on lists and objects.</summary>
internal static class Lists
{
    /// <summary>The first argument that is not empty, else the last.</summary>
    public static Value Coalesce(Call call) => call.Arguments.FirstOrDefault(argument => !argument.IsEmpty) ?? call.Arguments.LastOrDefault() ?? Value.Null;

    public static Value Concat(Call call)
    {
        var length = Enumerable.Range(0, call.Count).Sum(index => (long)call.Items(index).Length);
        return length <= Call.ItemsLimit
            ? Value.Of(Enumerable.Range(0, call.Count).SelectMany(index => call.Items(index)))
            : throw call.Error($"the result has {length} items, more than {Call.ItemsLimit}");
    }

    /// <summary>Joins each object of the first list with each of the second that has the same values in the named fields.</summary>
    /// <remarks>A fourth argument, true, keeps the objects of the first list that find no partner.</remarks>
    public static Value CombineMaps(Call call)
    {
        call.ExpectCount(3, 4);
        var left = call.Items(0).Select(item => call.Object(item, 0)).ToArray();
        var right = call.Items(1).Select(item => call.Object(item, 1)).ToArray();
        var conditions = call.Items(2).Select(item => call.Text(item, 2)).ToArray();
        var passThrough = call.Count == 4 && call.Bool(3);
        if (conditions.Length == 0)
        {
            throw call.Error("merge conditions must not be empty");
        }

        if ((long)left.Length * right.Length > 100L * Call.ItemsLimit)
        {
            throw call.Error($"{left.Length} and {right.Length} objects are too many to compare");
        }

        var combined = new List<Value>();
        foreach (var one in left)
        {
            var partners = right.Where(other => Array.TrueForAll(conditions, name => Agree(one, other, name))).ToArray();
            combined.AddRange(partners.Select(other => new ObjectValue(one.Fields.SetItems(other.Fields))));
            if (partners.Length == 0 && passThrough)
            {
                combined.Add(one);
            }

            call.Result(combined);
        }

        return call.Result(combined);
    }

    /// <summary>Objects with the same text in one field, in the order they first appear: <c>{field = text, items = […]}</c>.</summary>
    public static Value GroupBy(Call call)
    {
        call.ExpectCount(3, 3);
        var (name, dropMissing) = (call.Text(1), call.Bool(2));
        var groups = call.Items(0).Select(item => call.Object(item, 0))
            .Where(item => !dropMissing || item.Fields.ContainsKey(name))
            .GroupBy(item => item.Fields.TryGetValue(name, out var value) ? call.Text(value, 0) : "");
        return call.Result([.. groups.OrderBy(group => group.Key.Length == 0).Select(group => Group(name, group))]);
    }

    private static ObjectValue Group(string name, IGrouping<string, ObjectValue> group) =>
        new(ImmutableSortedDictionary<string, Value>.Empty.WithComparers(StringComparer.Ordinal).SetItem(name, Value.Of(group.Key)).SetItem("items", Value.Of(group)));

    private static bool Agree(ObjectValue left, ObjectValue right, string name) =>
        left.Fields.TryGetValue(name, out var one) && right.Fields.TryGetValue(name, out var other) && Value.AreEqual(one, other);
}
