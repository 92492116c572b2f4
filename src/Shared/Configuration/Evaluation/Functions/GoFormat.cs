using System.Globalization;
using System.Text;
using ActorProfiler.Configuration.Syntax;

namespace ActorProfiler.Configuration.Evaluation.Functions;

/// <summary>Go's Sprintf for the values of the language; what Go marks in the text as a mistake is an error here.</summary>
/// <remarks>https://pkg.go.dev/fmt: flags <c>+ - # 0 space</c>, width, precision, verbs <c>% v s q d x X o b c f F e E g G t</c>.</remarks>
internal static class GoFormat
{
    private const int WidthLimit = 1000;

    public static string Apply(Call call)
    {
        var format = call.Text(0);
        var text = new StringBuilder();
        var next = 1;
        for (var at = 0; at < format.Length; at++)
        {
            if (format[at] != '%')
            {
                text.Append(format[at]);
                continue;
            }

            var directive = Directive.Read(format, ref at) ?? throw call.Error($"the format {StringText.Quote(format)} ends in the middle of a directive");
            if (directive.Verb == '%')
            {
                text.Append('%');
                continue;
            }

            if (next >= call.Count)
            {
                throw call.Error($"%{directive.Verb} has no argument; the format needs more than {call.Count - 1}");
            }

            if (directive.Width > WidthLimit || directive.Precision > WidthLimit)
            {
                throw call.Error($"a width or precision is more than {WidthLimit}");
            }

            text.Append(directive.Pad(Convert(call, directive, next++)));
        }

        return next == call.Count ? text.ToString() : throw call.Error($"{call.Count - next} arguments are not used by the format");
    }

    private static string Convert(Call call, Directive directive, int index) => (directive.Verb, call.Arguments[index]) switch
    {
        ('v' or 's' or 'q' or 'x' or 'X', StringValue or SecretValue) => Text(directive, call.Text(index)),
        ('v' or 't', BoolValue value) => value.Value ? "true" : "false",
        ('v' or 'd', IntegerValue value) => directive.Signed(value.Value.ToString(CultureInfo.InvariantCulture)),
        ('d' or 'x' or 'X' or 'o' or 'b' or 'c', FloatValue value) when Math.Truncate(value.Value) == value.Value && Math.Abs(value.Value) < 1e18 => Integer(directive, (long)value.Value),
        ('x' or 'X' or 'o' or 'b' or 'c', IntegerValue value) => Integer(directive, value.Value),
        ('s', NumberValue value) => value.Text,
        ('v', FloatValue value) => directive.Signed(value.Text),
        ('f' or 'F' or 'e' or 'E' or 'g' or 'G', NumberValue value) => directive.Signed(Float(directive, value.AsDouble)),
        ('v', NullValue) => "<nil>",
        ('v', ListValue list) => $"[{string.Join(' ', list.Items.Select(item => call.Text(item, index)))}]",
        (_, var value) => throw call.Error($"%{directive.Verb} cannot show {value.TypeName}"),
    };

    private static string Text(Directive directive, string text)
    {
        var cut = directive.Precision >= 0 && directive.Precision < text.Length ? text[..directive.Precision] : text;
        return directive.Verb switch
        {
            'q' => StringText.Quote(cut),
            'v' when directive.Flags.Contains('#') => StringText.Quote(cut),
            'x' => System.Convert.ToHexStringLower(Encoding.UTF8.GetBytes(cut)),
            'X' => System.Convert.ToHexString(Encoding.UTF8.GetBytes(cut)),
            _ => cut,
        };
    }

    private static string Integer(Directive directive, long value)
    {
        var magnitude = value < 0 ? unchecked((ulong)-value) : (ulong)value;
        var digits = directive.Verb switch
        {
            'x' => magnitude.ToString("x", CultureInfo.InvariantCulture),
            'X' => magnitude.ToString("X", CultureInfo.InvariantCulture),
            'b' => magnitude.ToString("b", CultureInfo.InvariantCulture),
            'o' => System.Convert.ToString(unchecked((long)magnitude), 8),
            'c' => Rune.IsValid((int)Math.Clamp(value, int.MinValue, int.MaxValue)) ? new Rune((int)value).ToString() : "\uFFFD",
            _ => magnitude.ToString(CultureInfo.InvariantCulture),
        };
        var prefix = directive.Flags.Contains('#') && directive.Verb is ('x' or 'X') ? $"0{directive.Verb}" : "";
        return directive.Verb == 'c' ? digits : directive.Signed($"{(value < 0 ? "-" : "")}{prefix}{digits}");
    }

    private static string Float(Directive directive, double value)
    {
        var precision = directive.Precision >= 0 ? directive.Precision : 6;
        return directive.Verb switch
        {
            'f' or 'F' => value.ToString($"F{precision}", CultureInfo.InvariantCulture),
            'e' => value.ToString(precision == 0 ? "0e+00" : $"0.{new string('0', precision)}e+00", CultureInfo.InvariantCulture),
            'E' => value.ToString(precision == 0 ? "0E+00" : $"0.{new string('0', precision)}E+00", CultureInfo.InvariantCulture),
            _ => directive.Precision >= 0 ? value.ToString($"G{Math.Max(1, precision)}", CultureInfo.InvariantCulture) : value.ToString("R", CultureInfo.InvariantCulture),
        };
    }

    /// <summary>One directive of a format; width and precision are -1 when they are not written.</summary>
    private sealed record Directive(string Flags, int Width, int Precision, char Verb)
    {
        /// <summary>Reads from the percent sign at <paramref name="at"/>, which ends on the verb; null when the format ends first.</summary>
        public static Directive? Read(string format, ref int at)
        {
            var start = ++at;
            while (at < format.Length && "+-#0 ".Contains(format[at], StringComparison.Ordinal))
            {
                at++;
            }

            var flags = format[start..Math.Min(at, format.Length)];
            var width = Digits(format, ref at);
            var precision = -1;
            if (at < format.Length && format[at] == '.')
            {
                at++;
                precision = Math.Max(0, Digits(format, ref at));
            }

            return at < format.Length ? new Directive(flags, width, precision, format[at]) : null;
        }

        public string Signed(string number) => Flags.Contains('+') && !number.StartsWith('-') ? $"+{number}" : number;

        public string Pad(string text)
        {
            if (Width <= text.Length)
            {
                return text;
            }

            if (Flags.Contains('-'))
            {
                return text.PadRight(Width);
            }

            var zeros = Flags.Contains('0') && Verb is not ('s' or 'q' or 'v' or 't');
            var sign = zeros && text.Length > 0 && text[0] is ('-' or '+') ? text[..1] : "";
            return zeros ? sign + text[sign.Length..].PadLeft(Width - sign.Length, '0') : text.PadLeft(Width);
        }

        private static int Digits(string format, ref int at)
        {
            var start = at;
            while (at < format.Length && char.IsAsciiDigit(format[at]) && at - start < 8)
            {
                at++;
            }

            return at > start ? int.Parse(format.AsSpan(start, at - start), NumberStyles.None, CultureInfo.InvariantCulture) : -1;
        }
    }
}
