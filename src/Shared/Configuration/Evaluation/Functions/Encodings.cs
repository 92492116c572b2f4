using System.Text;
using System.Text.Json;

namespace ActorProfiler.Configuration.Evaluation.Functions;

/// <summary>Functions that read and write JSON, YAML, base64 and URL parts.</summary>
internal static class Encodings
{
    private static readonly UTF8Encoding _strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static Value FromJson(Call call) => One(call, text => JsonValues.Parse(text));

    public static Value FromYaml(Call call) => One(call, YamlValues.Parse);

    public static Value FromBase64(Call call) => One(call, text => Value.Of(_strict.GetString(Convert.FromBase64String(text))));

    public static Value FromUrlBase64(Call call) => One(call, text => Value.Of(_strict.GetString(Convert.FromBase64String(text.Replace('-', '+').Replace('_', '/')))));

    public static Value ToBase64(Call call) => One(call, text => Value.Of(Base64(text)));

    public static Value ToUrlBase64(Call call) => One(call, text => Value.Of(Base64(text).Replace('+', '-').Replace('/', '_')));

    /// <summary>As in a query: a space is a plus.</summary>
    public static Value UrlEncode(Call call) => One(call, text => Value.Of(Uri.EscapeDataString(text).Replace("%20", "+", StringComparison.Ordinal)));

    public static Value UrlDecode(Call call) => One(call, text => Value.Of(_strict.GetString(UrlBytes(text))));

    public static Value ToJson(Call call)
    {
        call.ExpectCount(1, 1);
        return call.Arguments[0] is ObjectValue or ListValue
            ? Guarded(call, () => Value.Of(JsonValues.Write(call.Arguments[0])))
            : throw call.Error($"only objects and arrays can be written, got {call.Arguments[0].TypeName}");
    }

    /// <summary>All values at a path of a JSON text.</summary>
    public static Value JsonPath(Call call)
    {
        call.ExpectCount(2, 2);
        var (text, path) = (call.Text(0), call.Text(1));
        return Guarded(call, () => call.Result([.. JsonPathQuery.Parse(path).Find(JsonValues.Parse(text))]));
    }

    private static Value One(Call call, Func<string, Value> function)
    {
        call.ExpectCount(1, 1);
        var text = call.Text(0);
        return Guarded(call, () => function(text));
    }

    private static Value Guarded(Call call, Func<Value> function)
    {
        try
        {
            return function();
        }
        catch (Exception cause) when (cause is FormatException or JsonException or DecoderFallbackException)
        {
            throw call.Error(cause.Message);
        }
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    private static byte[] UrlBytes(string text)
    {
        var bytes = new List<byte>();
        for (var at = 0; at < text.Length; at++)
        {
            if (text[at] != '%')
            {
                bytes.AddRange(Encoding.UTF8.GetBytes(text[at] == '+' ? " " : text[at].ToString()));
                continue;
            }

            if (at + 2 >= text.Length || !char.IsAsciiHexDigit(text[at + 1]) || !char.IsAsciiHexDigit(text[at + 2]))
            {
                throw new FormatException($"invalid URL escape \"{text[at..Math.Min(text.Length, at + 3)]}\"");
            }

            bytes.Add(Convert.ToByte(text.Substring(at + 1, 2), 16));
            at += 2;
        }

        return [.. bytes];
    }
}
