using System.Runtime.InteropServices;

namespace ActorProfiler.Configuration.Evaluation.Functions;

/// <summary>The functions and constants every expression can use, under their flat names and under their namespaced ones.</summary>
/// <remarks>https://grafana.com/docs/alloy/latest/reference/stdlib/</remarks>
public static class StandardLibrary
{
    /// <param name="environment">Gives the value of an environment variable, or null.</param>
    /// <param name="version">What <c>constants.version</c> is.</param>
    public static Scope Create(Func<string, string?> environment, string version)
    {
        var functions = All(environment);
        var names = functions.ToDictionary(pair => pair.Key, pair => (Value)new FunctionValue(pair.Key, pair.Value), StringComparer.Ordinal);
        var scope = names.Where(pair => !pair.Key.Contains('.', StringComparison.Ordinal)).ToDictionary(StringComparer.Ordinal);
        foreach (var group in names.Where(pair => pair.Key.Contains('.', StringComparison.Ordinal)).GroupBy(pair => pair.Key.Split('.')[0]))
        {
            scope[group.Key] = Value.Of(group.Select(pair => KeyValuePair.Create(pair.Key.Split('.')[1], pair.Value)));
        }

        scope["constants"] = Value.Of(new Dictionary<string, Value>
        {
            ["hostname"] = Value.Of(Environment.MachineName),
            ["os"] = Value.Of("linux"),
            ["arch"] = Value.Of(RuntimeInformation.ProcessArchitecture switch { Architecture.X64 => "amd64", Architecture.Arm64 => "arm64", var other => other.ToString() }),
            ["version"] = Value.Of(version),
        });
        return new Scope(scope);
    }

    private static Dictionary<string, Func<Call, Value>> All(Func<string, string?> environment)
    {
        var functions = new Dictionary<string, Func<Call, Value>>(StringComparer.Ordinal)
        {
            ["coalesce"] = Lists.Coalesce,
            ["json_path"] = Encodings.JsonPath,
        };
        Add(functions, "env", "sys.env", call => One(call, text => Value.Of(environment(text) ?? "")));
        Add(functions, "concat", "array.concat", Lists.Concat);
        functions["array.combine_maps"] = Lists.CombineMaps;
        functions["array.group_by"] = Lists.GroupBy;
        Add(functions, "nonsensitive", "convert.nonsensitive", Nonsensitive);
        functions["file.path_join"] = Texts.PathJoin;
        foreach (var (name, function) in Texts.All)
        {
            Add(functions, name, $"string.{name}", function);
        }

        Add(functions, "json_decode", "encoding.from_json", Encodings.FromJson);
        Add(functions, "yaml_decode", "encoding.from_yaml", Encodings.FromYaml);
        Add(functions, "base64_decode", "encoding.from_base64", Encodings.FromBase64);
        functions["encoding.from_URLbase64"] = Encodings.FromUrlBase64;
        functions["encoding.to_json"] = Encodings.ToJson;
        functions["encoding.to_base64"] = Encodings.ToBase64;
        functions["encoding.to_URLbase64"] = Encodings.ToUrlBase64;
        functions["encoding.url_encode"] = Encodings.UrlEncode;
        functions["encoding.url_decode"] = Encodings.UrlDecode;
        return functions;
    }

    private static void Add(Dictionary<string, Func<Call, Value>> functions, string flat, string namespaced, Func<Call, Value> function) =>
        functions[flat] = functions[namespaced] = function;

    private static Value One(Call call, Func<string, Value> function)
    {
        call.ExpectCount(1, 1);
        return function(call.Text(0));
    }

    private static Value Nonsensitive(Call call)
    {
        call.ExpectCount(1, 1);
        return call.Arguments[0] is SecretValue secret ? Value.Of(secret.Reveal()) : Value.Of(call.Text(0));
    }
}
