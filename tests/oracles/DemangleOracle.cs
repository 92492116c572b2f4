using ActorProfiler.Collector.Symbols.Demangling;

namespace ActorProfiler.Oracles;

/// <summary>Demangles a list, to compare with c++filt or a Rust demangler.</summary>
internal static class DemangleOracle
{
    public static int Run(string modeName, string symbols)
    {
        if (!Enum.TryParse<DemangleMode>(modeName, ignoreCase: true, out var mode))
        {
            Console.Error.WriteLine($"demangle: no mode '{modeName}': known are {string.Join(", ", Enum.GetNames<DemangleMode>()).ToLowerInvariant()}");
            return 2;
        }

        foreach (var symbol in Inputs.Lines(symbols))
        {
            Console.WriteLine(Demangler.Demangle(symbol, mode));
        }

        return 0;
    }
}
