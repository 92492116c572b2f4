using ActorProfiler.Collector.Elf;
using ActorProfiler.Collector.Elf.Go;
using ActorProfiler.Collector.Interpreters.HotSpot;
using ActorProfiler.Collector.Processes;
using ActorProfiler.Collector.Symbols;
using ActorProfiler.Collector.Symbols.Demangling;
using ActorProfiler.Collector.Symbols.DotNet;
using ActorProfiler.Collector.Symbols.Dwarf;
using ActorProfiler.Collector.Symbols.Go;
using ActorProfiler.Collector.Unwinding;

namespace ActorProfiler.Fuzz;

/// <summary>Every parser that reads bytes of other users, under the name by which it is fuzzed.</summary>
/// <remarks>A target returns or throws FormatException; anything else, or taking long, is a finding.</remarks>
internal static class FuzzTargets
{
    public static readonly IReadOnlyDictionary<string, Action<byte[]>> All = new SortedDictionary<string, Action<byte[]>>(StringComparer.Ordinal)
    {
        ["demangle"] = Demangle,
        ["dwarf"] = Lines,
        ["elf"] = bytes => Open(bytes).ToFileAddress(0, 0x1000, 0x1234),
        ["frames"] = Frames,
        ["go"] = GoProgram,
        ["hotspot"] = HotSpot,
        ["kallsyms"] = bytes => KallsymsParser.Parse(new MemoryStream(bytes)),
        ["maps"] = bytes => MapsParser.ParseExecutable(bytes, 10_000),
        ["assembly"] = bytes => PrecompiledMethods.Read(bytes)?.Find(0x1000),
        ["perfmap"] = PerfMapLines,
        ["stat"] = bytes => ProcStat.Parse(bytes),
        ["status"] = bytes => ProcStatus.Parse(bytes),
        ["symbols"] = Symbols,
    };

    /// <summary>Fields where JDK 17 has them, in structures that fit into a small memory: the list of heaps is at 0.</summary>
    private static readonly HotSpotLayout _hotSpot = new(
        Heaps: 0, ArrayLength: 0, ArrayData: 8, HeapLow: 24, HeapHigh: 32, SegmentShift: 40, Number(0, 8), Number(8, 1), BlockHeaderBytes: 16,
        BlobName: 96, FrameSize: Number(28, 4), FrameComplete: Number(20, 4), CodeBegin: Number(32, 8, isAddress: true), CodeEnd: Number(40, 8, isAddress: true));

    private static HotSpotLayout.Number Number(int offset, int width, bool isAddress = false) => new(offset, width, isAddress);

    private static void HotSpot(byte[] bytes) => HotSpotFrames.Build(_hotSpot, new MemorySource(bytes), new UnwindRules())?.Find(0x1000);

    private static ElfFile Open(byte[] bytes) => ElfFile.Read(new MemorySource(bytes), "[fuzzed]");

    private static void Frames(byte[] bytes) =>
        new UnwindTables(new UnwindRules(), TimeProvider.System).Compile(Open(bytes))?.Find(0x1234);

    private static void Lines(byte[] bytes)
    {
        var file = Open(bytes);
        var lines = DwarfLines.Read(file);
        for (ulong step = 0; lines is not null && step < 64; step++)
        {
            lines.Find(unchecked(file.Module.Start + step * ((file.Module.Limit - file.Module.Start) / 64)));
        }
    }

    private static void Symbols(byte[] bytes)
    {
        var file = Open(bytes);
        var symbols = new FileSymbols(file, "/nowhere", DemangleMode.Full);
        for (ulong step = 0; step < 64; step++)
        {
            symbols.Resolve(unchecked(file.Module.Start + step * ((file.Module.Limit - file.Module.Start) / 64)));
        }
    }

    private static void GoProgram(byte[] bytes)
    {
        var file = Open(bytes);
        if (GoTable.Read(file) is not { } table)
        {
            return;
        }

        Frames(bytes);
        var symbols = new GoSymbols(table, file.Module);
        for (ulong address = table.TextStart; address < table.TextStart + 0x10000; address += 0x101)
        {
            symbols.Resolve(address);
        }
    }

    private static void PerfMapLines(byte[] bytes)
    {
        var entries = new List<PerfMapEntry>();
        foreach (var range in bytes.AsSpan().Split((byte)'\n'))
        {
            if (PerfMapParser.TryParse(bytes.AsSpan(range), out var start, out var end, out var name))
            {
                entries.Add(new PerfMapEntry(start, end, 0, name.Length));
            }
        }

        PerfMapRanges.Build(entries).Find(0x1234);
    }

    private static void Demangle(byte[] bytes)
    {
        var symbol = SymbolText.From(bytes);
        foreach (var mode in Enum.GetValues<DemangleMode>())
        {
            Demangler.Demangle(symbol, mode);
        }
    }
}
