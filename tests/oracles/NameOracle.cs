using ActorProfiler.Collector.Symbols;
using ActorProfiler.Collector.Symbols.Demangling;

namespace ActorProfiler.Oracles;

/// <summary>Names addresses of one file, to compare with llvm-symbolizer, addr2line or go tool addr2line.</summary>
internal static class NameOracle
{
    public static int Run(string path, string addresses, bool withLines)
    {
        using var file = Inputs.Open(path);
        var symbols = new FileSymbols(file, "/", DemangleMode.Full, withLines).Retain();
        foreach (var address in Inputs.Lines(addresses))
        {
            var location = symbols.Resolve(Convert.ToUInt64(address, 16));
            Console.WriteLine(string.Join(" <- ", location.Lines.Select(line =>
                withLines ? $"{line.Function.Name} {line.Function.File}:{line.Number}" : line.Function.Name)));
        }

        symbols.Release();
        return 0;
    }
}
