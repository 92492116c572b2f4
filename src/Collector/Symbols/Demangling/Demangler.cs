namespace ActorProfiler.Collector.Symbols.Demangling;

/// <summary>Turns symbols of C++ and Rust into the names their programmers wrote.</summary>
/// <remarks>Symbols come from files that anyone may have written: input, output and effort are bounded; what exceeds them stays as it is.</remarks>
internal static class Demangler
{
    /// <summary>Longer symbols are not demangled.</summary>
    public const int InputLimit = 4096;

    /// <summary>Names that would become longer are not shown demangled.</summary>
    public const int OutputLimit = 16 << 10;

    /// <summary>The name in the mode wanted, or <paramref name="symbol"/> itself when it is not mangled or not understood.</summary>
    public static string Demangle(string symbol, DemangleMode mode)
    {
        if (mode == DemangleMode.None || symbol.Length is < 3 or > InputLimit || symbol[0] != '_')
        {
            return symbol;
        }

        // A version or a stub's mark is no part of the mangled name: foo@@GLIBC_2.2.5, foo@plt.
        var suffix = symbol.IndexOf('@', StringComparison.Ordinal);
        var name = suffix < 0 ? symbol : symbol[..suffix];
        var shown = DemangleName(name, mode);
        return shown is null or { Length: > OutputLimit } ? symbol : suffix < 0 ? shown : shown + symbol[suffix..];
    }

    private static string? DemangleName(string name, DemangleMode mode)
    {
        if (name.StartsWith("_R", StringComparison.Ordinal))
        {
            return RustV0Demangler.Demangle(name, mode);
        }

        if (!name.StartsWith("_Z", StringComparison.Ordinal))
        {
            return null;
        }

        return RustLegacyDemangler.Demangle(name) ?? DemangleCpp(name, mode);
    }

    private static string? DemangleCpp(string name, DemangleMode mode)
    {
        try
        {
            return new ItaniumPrinter(mode).Print(ItaniumParser.Parse(name));
        }
        catch (FormatException)
        {
            return null; // shown as it is in the file
        }
    }
}
