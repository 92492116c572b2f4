using System.Collections.Immutable;
using System.Globalization;
using ActorProfiler.Configuration.Evaluation;
using ActorProfiler.Configuration.Syntax;
using ActorProfiler.Labels;

namespace ActorProfiler.Configuration.Decoding;

/// <summary>The types of arguments. A number passes for a string and a string of digits for a number; a secret never for a string.</summary>
public static class ArgumentTypes
{
    public static readonly ArgumentType<bool> Bool = new("bool", value => value is BoolValue flag ? flag.Value : throw DecodeException.Mismatch("bool", value), flag => flag ? "true" : "false");

    public static readonly ArgumentType<string> Text = new("string", DecodeText, StringText.Quote);

    /// <summary>Takes a string or a secret.</summary>
    public static readonly ArgumentType<SecretValue> Secret = new("secret", value => value as SecretValue ?? new SecretValue(DecodeText(value)), _ => "(secret)") { IsSecret = true };

    /// <summary>A map of texts.</summary>
    public static readonly ArgumentType<LabelSet> Labels = new(
        "map(string)", value => LabelSet.From(DecodeFields(value, Text)), labels => $"{{{string.Join(", ", labels.Select(pair => $"{StringText.Quote(pair.Name)} = {StringText.Quote(pair.Value)}"))}}}");

    /// <summary>What the discovery components export and others take.</summary>
    public static readonly ArgumentType<ImmutableArray<LabelSet>> Targets = List(Labels);

    public static ArgumentType<int> Integer(int least = int.MinValue, int most = int.MaxValue) => new(
        "int", value => (int)InRange(DecodeNumber(value, wholeOnly: true), least, most), number => number.ToString(CultureInfo.InvariantCulture))
    {
        Range = Between(least > int.MinValue, $"{least}", most < int.MaxValue, $"{most}"),
    };

    public static ArgumentType<long> Long(long least = long.MinValue, long most = long.MaxValue) => new(
        "int", value => value is IntegerValue { Value: var number } && number >= least && number <= most ? number : (long)InRange(DecodeNumber(value, wholeOnly: true), least, most), number => number.ToString(CultureInfo.InvariantCulture))
    {
        Range = Between(least > long.MinValue, $"{least}", most < long.MaxValue, $"{most}"),
    };

    public static ArgumentType<double> Float(double least, double most) => new(
        "float", value => InRange(DecodeNumber(value, wholeOnly: false), least, most), number => Value.Of(number) is FloatValue shown ? shown.Text : "")
    {
        Range = Between(true, least.ToString(CultureInfo.InvariantCulture), true, most.ToString(CultureInfo.InvariantCulture)),
    };

    /// <param name="least">Shortest allowed.</param>
    /// <param name="most">Longest allowed.</param>
    public static ArgumentType<TimeSpan> Duration(TimeSpan least, TimeSpan most) => new(
        "duration", value => DecodeDuration(value, least, most), duration => StringText.Quote(GoDuration.Write(duration)))
    {
        Range = Between(true, GoDuration.Write(least), most < TimeSpan.MaxValue, GoDuration.Write(most)),
    };

    /// <summary>One of a few words.</summary>
    public static ArgumentType<string> OneOf(params string[] words) => new("string", value => DecodeWord(value, words), StringText.Quote)
    {
        Range = string.Join(", ", words.Select(StringText.Quote)),
    };

    /// <summary>A text that <paramref name="check"/> accepts: it throws <see cref="FormatException"/> for others.</summary>
    public static ArgumentType<T> Parsed<T>(string name, Func<string, T> check, Func<T, string> write) => new(
        name,
        value =>
        {
            try
            {
                return check(DecodeText(value));
            }
            catch (FormatException cause)
            {
                throw new DecodeException($"is wrong: {cause.Message}");
            }
        },
        value => StringText.Quote(write(value)));

    public static ArgumentType<ImmutableArray<T>> List<T>(ArgumentType<T> item) => new(
        $"list({item.Name})", value => DecodeItems(value, item), items => $"[{string.Join(", ", items.Select(item.Write))}]")
    {
        Range = item.Range,
        IsSecret = item.IsSecret,
    };

    public static ArgumentType<ImmutableSortedDictionary<string, T>> Map<T>(ArgumentType<T> field) => new(
        $"map({field.Name})",
        value => DecodeFields(value, field).ToImmutableSortedDictionary(StringComparer.Ordinal),
        fields => $"{{{string.Join(", ", fields.Select(pair => $"{StringText.Quote(pair.Key)} = {field.Write(pair.Value)}"))}}}")
    {
        Range = field.Range,
        IsSecret = field.IsSecret,
    };

    /// <summary>A thing of the program, such as a receiver of profiles.</summary>
    public static ArgumentType<T> Capsule<T>(string kind)
        where T : class =>
        new(kind, value => value is CapsuleValue { Content: T content } ? content : throw DecodeException.Mismatch(kind, value), _ => kind);

    private static string DecodeText(Value value) => value switch
    {
        StringValue text => text.Value,
        NumberValue number => number.Text,
        SecretValue => throw new DecodeException("should be string, got secret: secrets may not be converted into strings; convert.nonsensitive does it on purpose"),
        _ => throw DecodeException.Mismatch("string", value),
    };

    private static string DecodeWord(Value value, string[] words)
    {
        var word = DecodeText(value);
        return Array.IndexOf(words, word) >= 0 ? word : throw new DecodeException($"should be one of {string.Join(", ", words.Select(StringText.Quote))}{Spelling.DidYouMean(word, words)}");
    }

    private static double DecodeNumber(Value value, bool wholeOnly)
    {
        var number = value switch
        {
            NumberValue written => written.AsDouble,
            StringValue text when double.TryParse(text.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var read) => read,
            _ => throw DecodeException.Mismatch("number", value),
        };
        return !wholeOnly || Math.Truncate(number) == number ? number : throw new DecodeException("should be a whole number");
    }

    private static double InRange(double number, double least, double most)
    {
        if (number >= least && number <= most)
        {
            return number;
        }

        // A bound that is only that of the type is said when it is the one in the way.
        var range = Between(least > int.MinValue || number < least, Text(least), most < int.MaxValue || number > most, Text(most));
        throw new DecodeException($"should be {range}, got {Text(number)}");

        static string Text(double bound) => ((FloatValue)Value.Of(bound)).Text;
    }

    private static TimeSpan DecodeDuration(Value value, TimeSpan least, TimeSpan most)
    {
        if (value is not StringValue text)
        {
            throw new DecodeException($"should be a duration such as \"15s\", got {value.TypeName}");
        }

        try
        {
            var duration = GoDuration.Parse(text.Value);
            return duration >= least && duration <= most ? duration
                : throw new DecodeException($"should be {Between(true, GoDuration.Write(least), most < TimeSpan.MaxValue, GoDuration.Write(most))}, got {GoDuration.Write(duration)}");
        }
        catch (FormatException cause)
        {
            throw new DecodeException($"is wrong: {cause.Message}");
        }
    }

    private static ImmutableArray<T> DecodeItems<T>(Value value, ArgumentType<T> type)
    {
        var list = value as ListValue ?? throw DecodeException.Mismatch("array", value);
        var items = ImmutableArray.CreateBuilder<T>(list.Items.Length);
        for (var i = 0; i < list.Items.Length; i++)
        {
            items.Add(At(i, list.Items[i], type));
        }

        return items.MoveToImmutable();
    }

    private static IEnumerable<KeyValuePair<string, T>> DecodeFields<T>(Value value, ArgumentType<T> type) =>
        value is ObjectValue fields
            ? fields.Fields.Select(field => KeyValuePair.Create(field.Key, At(field.Key, field.Value, type)))
            : throw DecodeException.Mismatch("object", value);

    private static T At<T>(object step, Value value, ArgumentType<T> type)
    {
        try
        {
            return type.Decode(value);
        }
        catch (DecodeException cause)
        {
            throw cause.Under(step);
        }
    }

    private static string Between(bool hasLeast, string least, bool hasMost, string most) => (hasLeast, hasMost) switch
    {
        (true, true) => $"{least} to {most}",
        (true, false) => $"at least {least}",
        (false, true) => $"at most {most}",
        _ => "",
    };
}
