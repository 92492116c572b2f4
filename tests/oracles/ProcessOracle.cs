using System.Diagnostics;
using System.Globalization;
using ActorProfiler.Collector.Processes;
using ActorProfiler.Collector.Symbols;

namespace ActorProfiler.Oracles;

/// <summary>Reads processes as the collector does at first sight, and tells time, memory and what was named.</summary>
internal static class ProcessOracle
{
    private const int AddressesPerMapping = 64;

    public static int Run(string[] chosen)
    {
        var pids = chosen.Length > 0
            ? chosen.Select(text => int.Parse(text, CultureInfo.InvariantCulture))
            : Directory.GetDirectories("/proc").Select(folder => int.TryParse(Path.GetFileName(folder), out var pid) ? pid : 0).Where(pid => pid > 0);
        using var files = new ElfFiles();
        using var roots = new ProcessRoots();
        var caches = new SymbolCaches(SymbolOptions.Default, KernelSymbols.OfThisHost(), roots);
        var watch = Stopwatch.StartNew();
        var (processes, looked, named) = (0, 0, 0);
        foreach (var pid in pids)
        {
            if (ProcFiles.StartTime(pid) is { } start && ProcessImage.Read(new ProcessIdentity(pid, start, 0), files) is { } image)
            {
                processes++;
                looked += image.Mappings.Length * AddressesPerMapping;
                named += CountNamed(caches.For(image), image);
            }
        }

        Console.WriteLine($"{processes} processes, {files.Count} files, {looked} addresses, {named} named, {caches.Kernel.Count} kernel symbols, "
            + $"{watch.Elapsed.TotalMilliseconds:F0} ms; refused: {string.Join(", ", files.Refusals)}; managed {GC.GetTotalMemory(true) >> 20} MB");
        return processes > 0 ? 0 : 1;
    }

    private static int CountNamed(ProcessSymbols symbols, ProcessImage image)
    {
        var named = 0;
        foreach (var mapped in image.Mappings)
        {
            var step = (mapped.Mapping.End - mapped.Mapping.Start) / AddressesPerMapping;
            for (ulong i = 0; i < AddressesPerMapping; i++)
            {
                named += symbols.Resolve(mapped.Mapping.Start + i * step, isReturnAddress: false).IsSymbolized ? 1 : 0;
            }
        }

        return named;
    }
}
