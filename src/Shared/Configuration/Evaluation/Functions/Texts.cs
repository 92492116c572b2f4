namespace ActorProfiler.Configuration.Evaluation.Functions;

/// <summary>Functions on texts.</summary>
internal static class Texts
{
    /// <summary>By name without its namespace.</summary>
    public static readonly IReadOnlyDictionary<string, Func<Call, Value>> All = new Dictionary<string, Func<Call, Value>>
    {
        ["format"] = Format,
        ["join"] = Join,
        ["replace"] = Replace,
        ["split"] = Split,
        ["to_lower"] = call => One(call, text => text.ToLowerInvariant()),
        ["to_upper"] = call => One(call, text => text.ToUpperInvariant()),
        ["trim_space"] = call => One(call, text => text.Trim()),
        ["trim"] = call => Two(call, (text, letters) => text.Trim(letters.ToCharArray())),
        ["trim_prefix"] = call => Two(call, (text, prefix) => text.StartsWith(prefix, StringComparison.Ordinal) ? text[prefix.Length..] : text),
        ["trim_suffix"] = call => Two(call, (text, suffix) => text.EndsWith(suffix, StringComparison.Ordinal) ? text[..^suffix.Length] : text),
    };

    /// <summary>Joins parts by one slash each and resolves <c>.</c> and <c>..</c>, as Go's filepath.Join.</summary>
    public static Value PathJoin(Call call)
    {
        var parts = Enumerable.Range(0, call.Count).Select(index => call.Text(index)).Where(part => part.Length > 0).ToArray();
        if (parts.Length == 0)
        {
            return Value.Of("");
        }

        var rooted = parts[0][0] == '/';
        var clean = new List<string>();
        foreach (var step in parts.SelectMany(part => part.Split('/', StringSplitOptions.RemoveEmptyEntries)).Where(step => step != "."))
        {
            if (step == ".." && clean.Count > 0 && clean[^1] != "..")
            {
                clean.RemoveAt(clean.Count - 1);
            }
            else if (step != ".." || !rooted)
            {
                clean.Add(step);
            }
        }

        var path = (rooted ? "/" : "") + string.Join('/', clean);
        return call.Result(path.Length == 0 ? "." : path);
    }

    private static Value One(Call call, Func<string, string> function)
    {
        call.ExpectCount(1, 1);
        return call.Result(function(call.Text(0)));
    }

    private static Value Two(Call call, Func<string, string, string> function)
    {
        call.ExpectCount(2, 2);
        return call.Result(function(call.Text(0), call.Text(1)));
    }

    private static Value Format(Call call)
    {
        call.ExpectCount(1, int.MaxValue);
        return call.Result(GoFormat.Apply(call));
    }

    private static Value Join(Call call)
    {
        call.ExpectCount(2, 2);
        var items = call.Items(0).Select(item => call.Text(item, 0)).ToArray();
        var separator = call.Text(1);
        var length = items.Sum(item => (long)item.Length) + (long)separator.Length * items.Length;
        return length <= Call.TextLimit ? Value.Of(string.Join(separator, items)) : throw call.Error($"the result has more than {Call.TextLimit} characters");
    }

    private static Value Replace(Call call)
    {
        call.ExpectCount(3, 3);
        var (text, old, by) = (call.Text(0), call.Text(1), call.Text(2));
        if ((long)(text.Length + 1) * Math.Max(1, by.Length) > int.MaxValue)
        {
            throw call.Error($"the result could have more than {Call.TextLimit} characters");
        }

        return call.Result(old.Length == 0 ? by + string.Concat(Letters(text).Select(letter => letter + by)) : text.Replace(old, by, StringComparison.Ordinal));
    }

    private static Value Split(Call call)
    {
        call.ExpectCount(2, 2);
        var (text, separator) = (call.Text(0), call.Text(1));
        return call.Result([.. (separator.Length == 0 ? Letters(text) : text.Split(separator)).Select(Value.Of)]);
    }

    private static IEnumerable<string> Letters(string text)
    {
        foreach (var letter in text.EnumerateRunes())
        {
            yield return letter.ToString();
        }
    }
}
