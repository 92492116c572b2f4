using ActorProfiler.Collector.Elf;

namespace ActorProfiler.Collector.Interpreters.HotSpot;

/// <summary>Tells which methods a JVM's compiled code runs at an address: the compiled one and those inlined there.</summary>
/// <remarks>
/// HotSpot describes the addresses of calls and safepoints; what lies between is told by the next one, as its own tools do. The JVM goes on
/// meanwhile, and the bytes may say anything: sizes, hops and depths are bounded. Not for several threads.
/// </remarks>
internal sealed class HotSpotScopes(HotSpotMethodLayout layout, HotSpotMethods methods)
{
    private const int MostHeaps = 16;
    private const int WordBytes = 8;
    private const int MostHops = 4096; // each goes back up to 254 segments
    private const int MostPcDescBytes = 4 << 20;
    private const int LargestScope = 64;
    private const int DeepestInlining = 64;
    private const byte FreeSegment = 0xff;
    private const int LargestSegmentShift = 16;
    private const int LongestName = 64;

    private readonly CompressedNumbers _numbers = new(layout.AvoidsZeroBytes);

    /// <summary>The methods at an address, innermost first; of code that is of no method, such as a stub, its name. Empty when there is no code.</summary>
    /// <param name="address">Where the thread stands, or a return address.</param>
    public JavaCall[] Find(IByteSource memory, ulong address)
    {
        try
        {
            return FindBlob(memory, address) is var blob and > 0 ? MethodsAt(memory, blob, address) : [];
        }
        catch (FormatException)
        {
            return [];
        }
    }

    /// <summary>Start of the code blob that holds an address, 0 when none does.</summary>
    private ulong FindBlob(IByteSource memory, ulong address)
    {
        var heaps = memory.Pointer(layout.Heap.Heaps);
        var count = heaps == 0 ? 0 : Math.Min(memory.Number(heaps + layout.Heap.ArrayLength), MostHeaps);
        var data = count <= 0 ? 0 : memory.Pointer(heaps + layout.Heap.ArrayData);
        for (var i = 0; i < count; i++)
        {
            var heap = memory.Pointer(data + (ulong)i * WordBytes);
            var low = memory.Pointer(heap + layout.Heap.HeapLow);
            if (address >= low && address < memory.Pointer(heap + layout.Heap.HeapHigh))
            {
                return FindBlobIn(memory, heap, low, address);
            }
        }

        return 0;
    }

    private ulong FindBlobIn(IByteSource memory, ulong heap, ulong low, ulong address)
    {
        var shift = memory.Number(heap + layout.Heap.SegmentShift);
        var map = memory.Pointer(heap + layout.SegmentMap);
        if (shift is < 0 or > LargestSegmentShift)
        {
            return 0;
        }

        var segment = (address - low) >> shift;
        Span<byte> back = stackalloc byte[1];
        for (var hop = 0; hop < MostHops; hop++)
        {
            memory.Fill(map + segment, back);
            if (back[0] == 0)
            {
                return low + (segment << shift) + (ulong)layout.Heap.BlockHeaderBytes;
            }

            if (back[0] == FreeSegment || back[0] > segment)
            {
                return 0;
            }

            segment -= back[0];
        }

        return 0;
    }

    private JavaCall[] MethodsAt(IByteSource memory, ulong blob, ulong address)
    {
        if (memory.Name(memory.Pointer(blob + layout.Heap.BlobName), LongestName) is var name and not ("nmethod" or "native nmethod"))
        {
            return name.Length == 0 ? [] : [new JavaCall(new JavaMethod(SymbolText.Clean(name), ""), Line: 0)];
        }

        Span<byte> header = stackalloc byte[Math.Max(layout.Heap.CodeBegin.End, layout.Scopes.End)];
        memory.Fill(blob, header);
        ulong Address(HotSpotLayout.Number number, ulong from, ReadOnlySpan<byte> bytes) => unchecked((number.IsAddress ? 0 : from) + (ulong)number.In(bytes));

        var debug = layout.ImmutableData is { } immutable ? memory.Pointer(blob + immutable) : blob;
        var offset = unchecked((long)(address - Address(layout.Heap.CodeBegin, blob, header)));
        var scope = ScopeAt(memory, debug, blob, offset);
        var found = new List<JavaCall>();
        for (var depth = 0; scope > 0 && depth < DeepestInlining; depth++)
        {
            scope = AddScope(memory, blob, Address(layout.Scopes, debug, header) + (ulong)scope, found);
        }

        if (found.Count == 0 && methods.Read(memory, memory.Pointer(blob + layout.Method)) is { } call)
        {
            found.Add(call);
        }

        return [.. found];
    }

    /// <summary>The offset of the innermost scope at a code offset: that of the first described address not below it. 0 when there is none.</summary>
    private int ScopeAt(IByteSource memory, ulong debug, ulong blob, long offset)
    {
        var (start, end) = (memory.Number(blob + layout.ScopesStart), memory.Number(blob + layout.ScopesEnd));
        if (start < 0 || end < start || end - start > MostPcDescBytes)
        {
            return 0;
        }

        var (low, high) = (0, (end - start) / layout.PcDescBytes);
        ulong At(int index) => debug + (ulong)start + (ulong)(index * layout.PcDescBytes);
        var last = high;
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = memory.Number(At(middle) + layout.PcOffset) < offset ? (middle + 1, high) : (low, middle);
        }

        return low < last ? memory.Number(At(low) + layout.ScopeOffset) : 0;
    }

    /// <summary>Adds the method of a scope. Returns the offset of the scope it was inlined into, 0 for none.</summary>
    private int AddScope(IByteSource memory, ulong blob, ulong scope, List<JavaCall> found)
    {
        Span<byte> bytes = stackalloc byte[LargestScope];
        bytes = bytes[..(scope > long.MaxValue ? 0 : memory.ReadFully((long)scope, bytes))];
        var position = 0;
        if (!_numbers.TryRead(bytes, ref position, out var sender) || !_numbers.TryRead(bytes, ref position, out var index)
            || !_numbers.TryRead(bytes, ref position, out var bytecode) || sender > int.MaxValue)
        {
            throw new FormatException($"no scope at 0x{scope:x}");
        }

        var metadata = layout.MutableData is { } mutable
            ? memory.Pointer(blob + mutable) + (ulong)memory.Number(blob + layout.Metadata)
            : blob + (ulong)memory.Number(blob + layout.Metadata);
        if (index > 0 && methods.Read(memory, memory.Pointer(metadata + (ulong)(index - 1) * WordBytes), (int)bytecode - 1) is { } call)
        {
            found.Add(call);
        }

        return (int)sender;
    }
}
