using System.Globalization;
using System.Text;
using ActorProfiler.Collector.Elf;

namespace ActorProfiler.Collector.Symbols.Demangling;

internal sealed partial class RustV0Demangler
{
    private void Constant(bool isInner)
    {
        Enter();
        if (Skip('B'))
        {
            Back(() => Constant(isInner));
        }
        else if (Skip('p'))
        {
            Print("_");
        }
        else
        {
            ConstantOf(Take());
        }

        _depth--;
    }

    private void ConstantOf(char type)
    {
        var isNegative = Skip('n');
        var start = _at;
        while (Next is (>= '0' and <= '9') or (>= 'a' and <= 'f'))
        {
            _at++;
        }

        var digits = _symbol[start.._at].TrimStart('0');
        if (!Skip('_') || BasicType(type) is null)
        {
            throw Unexpected();
        }

        var isSmall = ulong.TryParse(digits.Length == 0 ? "0" : digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value);
        Print(type switch
        {
            'b' => value == 0 ? "false" : "true",
            'c' when isSmall && value <= int.MaxValue && Rune.IsValid((int)value) => $"'{Quoted(new Rune((int)value))}'",
            _ when isSmall => (isNegative ? "-" : "") + value.ToString(CultureInfo.InvariantCulture),
            _ => (isNegative ? "-0x" : "0x") + digits,
        });
    }

    /// <summary>A character as Rust writes it in source.</summary>
    private static string Quoted(Rune character) => character.Value switch
    {
        '\0' => "\\0",
        '\t' => "\\t",
        '\n' => "\\n",
        '\r' => "\\r",
        '\'' => "\\'",
        '\\' => "\\\\",
        _ => SymbolText.Clean(character.ToString()),
    };
}
