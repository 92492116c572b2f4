using System.Globalization;
using ActorProfiler.Collector.Elf;
using ActorProfiler.Collector.Symbols;
using ActorProfiler.Collector.Symbols.Demangling;

namespace ActorProfiler.Oracles;

/// <summary>Compares names of addresses all over a file's code with llvm-symbolizer's. The exit code is 1 when one differs.</summary>
/// <remarks>
/// <c>aliases</c> are other names of the same address. <c>beyond</c> are addresses that the other gives to the symbol before them although it
/// ends before them; <c>stubs</c> are calls to other libraries, which the other gives no name or that of the symbol before them;
/// <c>parts</c> are those of functions the compiler has split (<c>f.cold</c>), which its debug information gives the name of the whole;
/// <c>unnamed by the other</c> those in the symbols of a separate file that it finds only by its debug information;
/// <c>labels</c> those to which the other gives the name of a jump's target or of data inside a function.
/// </remarks>
internal static class SymbolizerOracle
{
    private const int Addresses = 20_000;

    public static int Run(IEnumerable<string> paths)
    {
        var differing = 0;
        foreach (var path in paths)
        {
            differing += Compare(path);
        }

        return differing == 0 ? 0 : 1;
    }

    private static int Compare(string path)
    {
        using var file = Inputs.Open(path);
        var symbols = new FileSymbols(file, "/", DemangleMode.None).Retain();
        var addresses = AddressesIn(file);
        var theirs = TheirsOf(path, addresses);
        var debug = file.BuildId.Length > 2 ? $"/usr/lib/debug/.build-id/{file.BuildId[..2]}/{file.BuildId[2..]}.debug" : "";
        var functions = Tool.Functions(path).Concat(File.Exists(debug) ? Tool.Functions(debug) : []).GroupBy(function => function.Name, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.ToList(), StringComparer.Ordinal);
        var labels = Tool.LabelsAndData(path);
        var counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
        var shown = 0;
        for (var i = 0; i < addresses.Count; i++)
        {
            var location = symbols.Resolve(addresses[i]);
            var ours = location.IsSymbolized ? location.Lines[^1].Function.SystemName : "??";
            var verdict = Judge(addresses[i], ours, theirs[i], functions, labels);
            counts[verdict] = counts.GetValueOrDefault(verdict) + 1;
            if (verdict == "different" && shown++ < 10)
            {
                Console.WriteLine($"    0x{addresses[i]:x}: {ours} and not {theirs[i]}");
            }
        }

        symbols.Release();
        Console.WriteLine($"{path}: {addresses.Count} addresses: {string.Join(", ", counts.Select(pair => $"{pair.Value} {pair.Key}"))}");
        return counts.GetValueOrDefault("different");
    }

    private static string Judge(ulong address, string ours, string theirs, Dictionary<string, List<(ulong Address, ulong Size, string Name)>> functions, HashSet<string> labels)
    {
        var (we, they) = (Tool.WithoutVersion(ours), Tool.WithoutVersion(theirs));
        if (we == they && !ours.EndsWith("@plt", StringComparison.Ordinal))
        {
            return we == "??" ? "unnamed by both" : "equal";
        }

        if (ours.EndsWith("@plt", StringComparison.Ordinal))
        {
            return "stubs";
        }

        if (they == "??")
        {
            return "unnamed by the other";
        }

        if (labels.Contains(theirs))
        {
            return "labels";
        }

        if (we.IndexOf('.', StringComparison.Ordinal) is var dot and > 0
            && (we[..dot] == they || PlacesOf(we[..dot]).Exists(place => PlacesOf(they).Exists(their => their.Address == place.Address))))
        {
            return "parts";
        }

        var (ourPlaces, theirPlaces) = (PlacesOf(we), PlacesOf(they));
        if (ourPlaces.Exists(place => theirPlaces.Exists(their => their.Address == place.Address)))
        {
            return "aliases";
        }

        return theirPlaces.Count > 0 && theirPlaces.TrueForAll(place => address < place.Address || address >= place.Address + Math.Max(1, place.Size)) ? "beyond" : "different";

        List<(ulong Address, ulong Size, string Name)> PlacesOf(string name) => functions.GetValueOrDefault(name) ?? [];
    }

    /// <summary>Names of functions, not of those inlined into them: the last one of an address's lines, which a blank line ends.</summary>
    private static List<string> TheirsOf(string path, IEnumerable<ulong> addresses)
    {
        var lines = Tool.Run(
            "llvm-symbolizer", ["--functions=linkage", "--no-demangle", $"--obj={path}"],
            addresses.Select(address => string.Create(CultureInfo.InvariantCulture, $"0x{address:x}")));
        var names = new List<string>();
        for (var i = 1; i < lines.Count; i++)
        {
            if (lines[i].Length == 0 && i >= 2 && lines[i - 1].Length > 0)
            {
                names.Add(lines[i - 2]); // the line after a name is its file
            }
        }

        return names;
    }

    private static List<ulong> AddressesIn(ElfFile file)
    {
#pragma warning disable CA5394 // the same addresses each time
        var random = new Random(1);
        var code = file.Section(".text") ?? throw new FormatException($"{file.Path} has no .text");
        return [.. Enumerable.Range(0, Addresses).Select(_ => code.Address + (ulong)random.NextInt64((long)code.Size)).Order()];
#pragma warning restore CA5394
    }
}
