using System.Globalization;
using System.Text;

namespace ActorProfiler.Collector.Processes;

/// <summary>Reads the fields of one line of a /proc file in order. Errors quote the line.</summary>
internal ref struct FieldReader(ReadOnlySpan<byte> line)
{
    private readonly ReadOnlySpan<byte> _line = line;
    private ReadOnlySpan<byte> _rest = line;

    public readonly ReadOnlySpan<byte> Rest => _rest;

    /// <summary>The text up to a separator, which is passed over.</summary>
    /// <exception cref="FormatException">The separator does not come.</exception>
    public ReadOnlySpan<byte> Text(char separator)
    {
        var length = _rest.IndexOf((byte)separator);
        if (length < 0)
        {
            throw Malformed($"'{separator}'");
        }

        var text = _rest[..length];
        _rest = _rest[(length + 1)..];
        return text;
    }

    /// <summary>A hexadecimal number without 0x, up to a separator.</summary>
    /// <exception cref="FormatException">Not a number of 64 bits, or the separator does not come.</exception>
    public ulong Hex(char separator) => Number(separator, NumberStyles.AllowHexSpecifier);

    /// <summary>A decimal number, up to a separator.</summary>
    /// <exception cref="FormatException">Not a number of 64 bits, or the separator does not come.</exception>
    public ulong Decimal(char separator) => Number(separator, NumberStyles.None);

    private ulong Number(char separator, NumberStyles style)
    {
        var text = Text(separator);
        return ulong.TryParse(text, style, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw Malformed($"a number before '{separator}'");
    }

    private readonly FormatException Malformed(string expected)
    {
        var shown = _line.Length > 512 ? _line[..512] : _line;
        return new FormatException($"expected {expected} at {_line.Length - _rest.Length} of \"{Encoding.UTF8.GetString(shown)}\"");
    }
}
