using System.Buffers.Binary;
using System.Runtime.InteropServices;
using ActorProfiler.Collector.Elf;
using ActorProfiler.Collector.Elf.Go;
using ActorProfiler.Collector.Interpreters;
using ActorProfiler.Collector.Interpreters.HotSpot;
using ActorProfiler.Collector.Interpreters.V8;
using ActorProfiler.Collector.Processes;
using ActorProfiler.Collector.Sampling;
using ActorProfiler.Collector.Symbols;
using ActorProfiler.Collector.Symbols.Demangling;
using ActorProfiler.Collector.Symbols.DotNet;
using ActorProfiler.Collector.Symbols.Dwarf;
using ActorProfiler.Collector.Symbols.Go;
using ActorProfiler.Collector.Unwinding;

namespace ActorProfiler.Fuzz;

/// <summary>Every parser that reads bytes of other users, under the name by which it is fuzzed.</summary>
/// <remarks>
/// A target returns or throws FormatException; anything else, or taking long, is a finding.
/// Nothing of the collector may run outside of a target: instrumented code fails before afl-fuzz has given it memory for its traces.
/// </remarks>
internal static class FuzzTargets
{
    public static readonly IReadOnlyDictionary<string, Action<byte[]>> All = new SortedDictionary<string, Action<byte[]>>(StringComparer.Ordinal)
    {
        ["copy"] = Copy,
        ["demangle"] = Demangle,
        ["dwarf"] = Lines,
        ["elf"] = bytes => Open(bytes).ToFileAddress(0, 0x1000, 0x1234),
        ["frames"] = Frames,
        ["go"] = GoProgram,
        ["hotspot"] = HotSpot,
        ["java"] = JavaMethods,
        ["kallsyms"] = bytes => KallsymsParser.Parse(new MemoryStream(bytes)),
        ["maps"] = bytes => MapsParser.ParseExecutable(bytes, 10_000),
        ["assembly"] = bytes => PrecompiledMethods.Read(bytes)?.Find(0x1000),
        ["perfmap"] = PerfMapLines,
        ["python"] = Python,
        ["records"] = Records,
        ["stat"] = bytes => ProcStat.Parse(bytes),
        ["status"] = bytes => ProcStatus.Parse(bytes),
        ["symbols"] = Symbols,
        ["v8"] = JavaScriptFunction,
    };

    /// <summary>Tagged address of the only function in the memory of <c>v8</c>.</summary>
    public const ulong V8Function = 0x81;

    private static HotSpotLayout.Number Number(int offset, int width, bool isAddress = false) => new(offset, width, isAddress);

    /// <summary>Fields where JDK 17 has them, in structures that fit into a small memory: the list of heaps is at 0.</summary>
    private static void HotSpot(byte[] bytes)
    {
        var layout = new HotSpotLayout(
            Heaps: 0, ArrayLength: 0, ArrayData: 8, HeapLow: 24, HeapHigh: 32, SegmentShift: 40, Number(0, 8), Number(8, 1), BlockHeaderBytes: 16,
            BlobName: 96, FrameSize: Number(28, 4), FrameComplete: Number(20, 4), CodeBegin: Number(32, 8, isAddress: true), CodeEnd: Number(40, 8, isAddress: true));
        HotSpotFrames.Build(layout, new MemorySource(bytes), new UnwindRules())?.Find(0x1000);
    }

    /// <summary>Address of compiled code in the memory of <c>java</c>.</summary>
    public const ulong JavaCode = 0x168;

    /// <summary>Fields where JDK 25 has them or nearly so, in structures that fit into a small memory: the list of heaps is at 0.</summary>
    private static void JavaMethods(byte[] bytes)
    {
        var layout = new HotSpotMethodLayout(
            new HotSpotLayout(
                Heaps: 0, ArrayLength: 0, ArrayData: 8, HeapLow: 0, HeapHigh: 8, SegmentShift: 16, Number(0, 8), Number(8, 1), BlockHeaderBytes: 16,
                BlobName: 0, FrameSize: Number(8, 4), FrameComplete: Number(12, 4), CodeBegin: Number(16, 4), CodeEnd: Number(20, 4)),
            SegmentMap: 24, ConstMethod: 8, Constants: 8, ConstMethodBytes: 48, ConstMethodFlags: 28, CodeSize: 32, NameIndex: 34, PoolHolder: 24, PoolBytes: 72,
            SourceFileIndex: 54, KlassName: 24, SymbolLength: 4, SymbolBody: 6, Method: 24, PcDescBytes: 16, PcOffset: 0, ScopeOffset: 4, ImmutableData: 32,
            ScopesStart: 40, ScopesEnd: 44, Scopes: Number(44, 4), MutableData: 48, Metadata: 56, AvoidsZeroBytes: true);
        foreach (var call in new HotSpotScopes(layout, new HotSpotMethods(layout)).Find(new MemorySource(bytes), JavaCode))
        {
            if (call.Method.Name.Length == 0 || call.Line < 0)
            {
                throw new InvalidOperationException($"a method '{call.Method.Name}' on line {call.Line}");
            }
        }
    }

    /// <summary>The copy of a stack, walked by rules that it holds itself: 8 bytes for each of 16 addresses.</summary>
    private static void Copy(byte[] bytes)
    {
        const int Rules = 16;
        var whole = new byte[Math.Max(bytes.Length, StackCopy.Bytes)];
        bytes.CopyTo(whole, whole.Length - bytes.Length);
        var rules = MemoryMarshal.Cast<byte, UnwindRule>(whole.AsSpan())[^Rules..].ToArray();
        var frames = new StackWalker(StackCopy.Parse(whole), address => rules[address % Rules]).Walk().Frames;
        if (frames.Count is 0 or > 256)
        {
            throw new InvalidOperationException($"{frames.Count} frames");
        }
    }

    /// <summary>A CPython's description of itself, and the text of a function of its.</summary>
    private static void Python(byte[] bytes)
    {
        var name = new byte[Marshal.SizeOf<PythonName>()];
        bytes.AsSpan(0, Math.Min(bytes.Length, name.Length)).CopyTo(name);
        ref readonly var read = ref MemoryMarshal.AsRef<PythonName>(name);
        if (read.NameText(PythonLayout.NewText.AsciiBit).Length + read.FileText(PythonLayout.NewText.AsciiBit).Length > name.Length)
        {
            throw new InvalidOperationException("more characters than bytes");
        }

        PythonDebugOffsets.Parse(bytes, out _);
    }

    /// <summary>The heap of a JavaScript engine laid out as that of Node.js 20, in a small memory: a function is at <see cref="V8Function"/>.</summary>
    private static void JavaScriptFunction(byte[] bytes)
    {
        var metadata = new V8Metadata(
            new V8Layout(FrameContext: -8, FrameFunction: -16, FunctionShared: 23, ObjectMap: -1, MapType: 11, SharedType: 262),
            new V8Shared(NameOrScope: 15, Script: 31, TokenDistance: 43),
            new V8Script(Type: 167, Name: 15, Source: 7, LineEnds: 55),
            new V8Text(
                FirstOtherType: 128, FormMask: 7, Sequential: 0, Cons: 1, External: 2, Sliced: 3, Thin: 5, WidthMask: 8, OneByte: 8, Length: 11,
                OneByteCharacters: 15, TwoByteCharacters: 15, ConsFirst: 15, ConsSecond: 23, ThinActual: 15, SlicedParent: 15, SlicedOffset: 23, ExternalResource: 15),
            new V8Scope(Type: 261, Locals: 2, FirstLocal: 3),
            ArrayLength: 7,
            ArrayElements: 15,
            ArrayType: 175,
            OddballType: 131);
        var (heap, reader) = (new V8Heap(new MemorySource(bytes), metadata), new V8FunctionReader(metadata));
        var words = reader.Look(heap, V8Function);
        if (words != default && reader.Read(heap, V8Function, words) is { Text.Length: 0 })
        {
            throw new InvalidOperationException("a function without a name");
        }
    }

    /// <summary>Records of what processes map, one after the other, each as long as its header says.</summary>
    private static void Records(byte[] bytes)
    {
        const int Header = 8;
        const int Pid = 7;
        var journal = new MappingJournal();
        for (var rest = bytes.AsSpan(); rest.Length >= Header;)
        {
            var length = Math.Clamp((int)BinaryPrimitives.ReadUInt16LittleEndian(rest[6..]), Header, rest.Length);
            journal.Add(ProcessRecord.Parse(rest[..length]));
            rest = rest[length..];
        }

        var mappings = journal.Find(Pid, ulong.MaxValue - 1);
        for (var i = 1; !mappings.IsDefault && i < mappings.Length; i++)
        {
            if (mappings[i].Start < mappings[i - 1].End)
            {
                throw new InvalidOperationException($"{mappings[i - 1]} overlaps {mappings[i]}");
            }
        }
    }

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
