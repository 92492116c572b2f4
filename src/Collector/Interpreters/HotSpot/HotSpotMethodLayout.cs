using ActorProfiler.Collector.Elf;
using ActorProfiler.Collector.Processes;

namespace ActorProfiler.Collector.Interpreters.HotSpot;

/// <summary>Where HotSpot keeps the names of methods, and which of them a piece of compiled code is of: offsets of one JVM.</summary>
/// <remarks>
/// JDK 17 to 22 keep a method's debug information behind its code; from 25 on it is in memory of its own, and so are the pointers to methods. Source:
/// src/hotspot/share/{oops/{method,constMethod,constantPool,klass,symbol}.hpp, code/{nmethod,pcDesc,compressedStream}.hpp} of OpenJDK.
/// </remarks>
/// <param name="Heap">Offsets of the code heaps.</param>
/// <param name="SegmentMap">In a code heap: low end of the memory that says how far each segment is from the start of its block.</param>
/// <param name="ConstMethodBytes">Size of the constant part of a method without its bytecode, which follows it, and then the line table.</param>
/// <param name="PoolBytes">Size of a constant pool without its entries.</param>
/// <param name="PcDescBytes">Size of an entry of the table of addresses.</param>
/// <param name="ImmutableData">In an nmethod: pointer to what the offsets of the debug information count from; null where they count from the nmethod.</param>
/// <param name="ScopesEnd">What follows the table of addresses.</param>
/// <param name="Scopes">In an nmethod: where its scopes are, an address or an offset.</param>
/// <param name="MutableData">In an nmethod: pointer to relocations, behind which the pointers to methods are; null where <paramref name="Metadata"/> says where.</param>
/// <param name="Metadata">In an nmethod: offset of the pointers to methods, or the size of the relocations.</param>
/// <param name="AvoidsZeroBytes">How numbers are compressed: from JDK 20 on no byte of them is zero.</param>
internal sealed record HotSpotMethodLayout(
    HotSpotLayout Heap,
    ulong SegmentMap,
    ulong ConstMethod,
    ulong Constants,
    int ConstMethodBytes,
    ulong ConstMethodFlags,
    ulong CodeSize,
    ulong NameIndex,
    ulong PoolHolder,
    int PoolBytes,
    ulong SourceFileIndex,
    ulong KlassName,
    ulong SymbolLength,
    ulong SymbolBody,
    ulong Method,
    int PcDescBytes,
    ulong PcOffset,
    ulong ScopeOffset,
    ulong? ImmutableData,
    ulong ScopesStart,
    ulong ScopesEnd,
    HotSpotLayout.Number Scopes,
    ulong? MutableData,
    ulong Metadata,
    bool AvoidsZeroBytes)
{
    private const int FirstWithoutZeroBytes = 20;
    private const int LargestSize = 4096;

    private static readonly HashSet<string> _types =
    [
        .. HotSpotLayout.Types, "Method", "ConstMethod", "ConstantPool", "Klass", "Symbol", "nmethod", "CompiledMethod", "PcDesc", "Abstract_VM_Version",
    ];

    /// <summary>The layout of a running JVM.</summary>
    /// <param name="library">libjvm.so as the process maps it.</param>
    /// <exception cref="FormatException">The JVM does not describe something that is needed.</exception>
    public static HotSpotMethodLayout Read(MappedFile library, IByteSource memory)
    {
        var structs = HotSpotStructs.Read(library, memory, _types);
        return From(structs, memory.Number(structs["Abstract_VM_Version", "_vm_major_version"].Address));
    }

    private static HotSpotMethodLayout From(HotSpotStructs structs, int majorVersion)
    {
        int SizeOf(string type) => structs.SizeOf(type) is > 0 and <= LargestSize and var size
            ? (int)size : throw new FormatException($"HotSpot's {type} is {structs.SizeOf(type)} bytes");

        var immutable = structs.Find("nmethod", "_immutable_data");
        return new HotSpotMethodLayout(
            HotSpotLayout.From(structs),
            structs["CodeHeap", "_segmap"].Offset + structs["VirtualSpace", "_low"].Offset,
            structs["Method", "_constMethod"].Offset,
            structs["ConstMethod", "_constants"].Offset,
            SizeOf("ConstMethod"),
            (structs.Find("ConstMethod", "_flags") ?? structs["ConstMethod", "_flags._flags"]).Offset,
            structs["ConstMethod", "_code_size"].Offset,
            structs["ConstMethod", "_name_index"].Offset,
            structs["ConstantPool", "_pool_holder"].Offset,
            SizeOf("ConstantPool"),
            structs["ConstantPool", "_source_file_name_index"].Offset,
            structs["Klass", "_name"].Offset,
            structs["Symbol", "_length"].Offset,
            structs["Symbol", "_body"].Offset,
            (structs.Find("nmethod", "_method") ?? structs["CompiledMethod", "_method"]).Offset,
            SizeOf("PcDesc"),
            structs["PcDesc", "_pc_offset"].Offset,
            structs["PcDesc", "_scope_decode_offset"].Offset,
            immutable?.Offset,
            structs["nmethod", "_scopes_pcs_offset"].Offset,
            structs["nmethod", immutable is null ? "_dependencies_offset" : "_scopes_data_offset"].Offset,
            HotSpotLayout.Number.Of(immutable is null ? structs["CompiledMethod", "_scopes_data_begin"] : structs["nmethod", "_scopes_data_offset"]),
            immutable is null ? null : structs["CodeBlob", "_mutable_data"].Offset,
            (immutable is null ? structs["nmethod", "_metadata_offset"] : structs["CodeBlob", "_relocation_size"]).Offset,
            majorVersion >= FirstWithoutZeroBytes);
    }
}
