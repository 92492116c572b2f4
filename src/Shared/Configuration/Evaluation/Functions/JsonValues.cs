using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace ActorProfiler.Configuration.Evaluation.Functions;

/// <summary>JSON texts and the values of the language.</summary>
public static class JsonValues
{
    private const int DepthLimit = 64;

    // The text is a value of the configuration, never part of a page: only what JSON itself demands is escaped.
    private static readonly JsonWriterOptions _plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <exception cref="JsonException">It is not JSON, or nested deeper than 64.</exception>
    public static Value Parse(string text)
    {
        using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = DepthLimit });
        return Convert(document.RootElement);
    }

    /// <summary>Compact, fields by name.</summary>
    /// <exception cref="FormatException">A secret, function or capsule is in it.</exception>
    public static string Write(Value value)
    {
        using var target = new MemoryStream();
        using (var writer = new Utf8JsonWriter(target, _plain))
        {
            Write(value, writer);
        }

        return Encoding.UTF8.GetString(target.ToArray());
    }

    private static Value Convert(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => Value.Of(element.EnumerateObject().GroupBy(field => field.Name).Select(fields => KeyValuePair.Create(fields.Key, Convert(fields.Last().Value)))),
        JsonValueKind.Array => Value.Of(element.EnumerateArray().Select(Convert).ToArray()),
        JsonValueKind.String => Value.Of(element.GetString()!),
        JsonValueKind.Number => Value.Of(element.GetDouble()),
        JsonValueKind.True => Value.Of(true),
        JsonValueKind.False => Value.Of(false),
        _ => Value.Null,
    };

    private static void Write(Value value, Utf8JsonWriter writer)
    {
        switch (value)
        {
            case ObjectValue fields:
                writer.WriteStartObject();
                foreach (var (name, field) in fields.Fields)
                {
                    writer.WritePropertyName(name);
                    Write(field, writer);
                }

                writer.WriteEndObject();
                break;
            case ListValue list:
                writer.WriteStartArray();
                list.Items.ToList().ForEach(item => Write(item, writer));
                writer.WriteEndArray();
                break;
            case StringValue text:
                writer.WriteStringValue(text.Value);
                break;
            case IntegerValue number:
                writer.WriteNumberValue(number.Value);
                break;
            case FloatValue number:
                writer.WriteRawValue(number.Text);
                break;
            case BoolValue flag:
                writer.WriteBooleanValue(flag.Value);
                break;
            case NullValue:
                writer.WriteNullValue();
                break;
            default:
                throw new FormatException($"{value.TypeName} cannot be written as JSON");
        }
    }
}
