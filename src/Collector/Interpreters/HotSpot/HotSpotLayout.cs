using System.Buffers.Binary;

namespace ActorProfiler.Collector.Interpreters.HotSpot;

/// <summary>Where HotSpot keeps what tells of its compiled code: offsets of one JVM, JDK 17 to 25.</summary>
/// <remarks>Source: src/hotspot/share/{code/codeCache.hpp, memory/heap.hpp, code/codeBlob.hpp} of OpenJDK.</remarks>
/// <param name="Heaps">Address of the static pointer to the array of code heaps.</param>
/// <param name="BlockHeaderBytes">What lies in a code heap's block before its code.</param>
internal sealed record HotSpotLayout(
    ulong Heaps,
    ulong ArrayLength,
    ulong ArrayData,
    ulong HeapLow,
    ulong HeapHigh,
    ulong SegmentShift,
    HotSpotLayout.Number BlockLength,
    HotSpotLayout.Number BlockUsed,
    int BlockHeaderBytes,
    ulong BlobName,
    HotSpotLayout.Number FrameSize,
    HotSpotLayout.Number FrameComplete,
    HotSpotLayout.Number CodeBegin,
    HotSpotLayout.Number CodeEnd)
{
    private static readonly HashSet<string> _types =
        ["CodeCache", "CodeHeap", "VirtualSpace", "HeapBlock::Header", "CodeBlob", "GrowableArrayBase", "GenericGrowableArray", "GrowableArray<int>"];

    /// <summary>The types that <see cref="From"/> needs.</summary>
    public static IReadOnlySet<string> Types => _types;

    /// <summary>Bytes of a block that hold all fields wanted, of its header and of the code blob behind it.</summary>
    public int BlockBytes => new[]
    {
        BlockLength.End, BlockUsed.End,
        BlockHeaderBytes + new[] { (int)BlobName + 8, FrameSize.End, FrameComplete.End, CodeBegin.End, CodeEnd.End }.Max(),
    }.Max();

    /// <exception cref="FormatException">The JVM does not describe something that is needed.</exception>
    public static HotSpotLayout From(HotSpotStructs structs)
    {
        var memory = structs["CodeHeap", "_memory"].Offset;
        var used = Number.Of(structs["HeapBlock::Header", "_used"]);
        return new HotSpotLayout(
            structs["CodeCache", "_heaps"].Address,
            (structs.Find("GrowableArrayBase", "_len") ?? structs["GenericGrowableArray", "_len"]).Offset,
            structs["GrowableArray<int>", "_data"].Offset,
            memory + structs["VirtualSpace", "_low"].Offset,
            memory + structs["VirtualSpace", "_high"].Offset,
            structs["CodeHeap", "_log2_segment_size"].Offset,
            Number.Of(structs["HeapBlock::Header", "_length"]),
            used,
            (used.Offset + 1 + 7) / 8 * 8,
            structs["CodeBlob", "_name"].Offset,
            Number.Of(structs["CodeBlob", "_frame_size"]),
            Number.Of(structs["CodeBlob", "_frame_complete_offset"]),
            Number.Of(structs.Find("CodeBlob", "_code_begin") ?? structs["CodeBlob", "_code_offset"]),
            Number.Of(structs.Find("CodeBlob", "_code_end") ?? structs["CodeBlob", "_data_offset"]));
    }

    /// <summary>A number in a structure.</summary>
    /// <param name="IsAddress">It is an address, and no offset from the structure's start.</param>
    internal readonly record struct Number(int Offset, int Width, bool IsAddress)
    {
        public int End => Offset + Width;

        public static Number Of(HotSpotStructs.Field field) => field.Type switch
        {
            "address" => new Number((int)field.Offset, 8, IsAddress: true),
            "size_t" => new Number((int)field.Offset, 8, IsAddress: false),
            "int" or "uint32_t" => new Number((int)field.Offset, 4, IsAddress: false),
            "u2" or "uint16_t" or "int16_t" => new Number((int)field.Offset, 2, IsAddress: false),
            "bool" => new Number((int)field.Offset, 1, IsAddress: false),
            var other => throw new FormatException($"HotSpot has a field of type '{other}' where a number was expected"),
        };

        /// <summary>The value in the bytes of a structure, sign extended.</summary>
        public long In(ReadOnlySpan<byte> structure) => Width switch
        {
            8 => BinaryPrimitives.ReadInt64LittleEndian(structure[Offset..]),
            4 => BinaryPrimitives.ReadInt32LittleEndian(structure[Offset..]),
            2 => BinaryPrimitives.ReadInt16LittleEndian(structure[Offset..]),
            _ => structure[Offset],
        };
    }
}
