using System.Buffers.Binary;
using System.Text;
using ActorProfiler.Collector.Elf;
using ActorProfiler.Collector.Processes;

namespace ActorProfiler.Collector.Interpreters.HotSpot;

/// <summary>The description of its own structures that libjvm.so exports for debuggers: where fields lie, and where statics are.</summary>
/// <remarks>The bytes come from the process: they may say anything. Source: src/hotspot/share/runtime/vmStructs.hpp of OpenJDK.</remarks>
internal sealed class HotSpotStructs
{
    private const int MostEntries = 4096; // JDK 17 has 788
    private const int LongestStride = 256;
    private const int LongestName = 64;
    private const int PointerBytes = 8;

    private readonly Dictionary<(string Type, string Field), Field> _fields = [];
    private readonly Dictionary<string, ulong> _sizes = new(StringComparer.Ordinal);

    private HotSpotStructs()
    {
    }

    /// <param name="Type">As C++ writes it.</param>
    /// <param name="Offset">In the structure; 0 for a static.</param>
    /// <param name="Address">Of a static, in the process; else 0.</param>
    internal readonly record struct Field(string Type, ulong Offset, ulong Address);

    /// <summary>Reads the fields of some types.</summary>
    /// <param name="library">libjvm.so as the process maps it.</param>
    /// <param name="memory">The process's memory, by address.</param>
    /// <exception cref="FormatException">The library does not export the description, or what it says cannot be.</exception>
    public static HotSpotStructs Read(MappedFile library, IByteSource memory, IReadOnlySet<string> types)
    {
        ulong Exported(string name) => DynamicSymbols.FindAddress(library.File!, name) is { } address
            ? memory.Pointer(unchecked(address + library.Bias)) : throw new FormatException($"{library.Mapping.Path} exports no {name}");

        ulong Entry(string part)
        {
            var value = Exported("gHotSpotVM" + part);
            return value <= LongestStride ? value : throw new FormatException($"gHotSpotVM{part} is {value}");
        }

        var structs = new HotSpotStructs();
        var (fieldName, typeString) = (Entry("StructEntryFieldNameOffset"), Entry("StructEntryTypeStringOffset"));
        var (offset, address) = (Entry("StructEntryOffsetOffset"), Entry("StructEntryAddressOffset"));
        ForEach("Struct", (type, entry) =>
        {
            var field = memory.Name(BinaryPrimitives.ReadUInt64LittleEndian(entry[(int)fieldName..]), LongestName);
            var text = BinaryPrimitives.ReadUInt64LittleEndian(entry[(int)typeString..]);
            structs._fields[(type, field)] = new Field(
                text == 0 ? "" : memory.Name(text, LongestName),
                BinaryPrimitives.ReadUInt64LittleEndian(entry[(int)offset..]),
                BinaryPrimitives.ReadUInt64LittleEndian(entry[(int)address..]));
        });
        var size = Entry("TypeEntrySizeOffset");
        ForEach("Type", (type, entry) => structs._sizes[type] = BinaryPrimitives.ReadUInt64LittleEndian(entry[(int)size..]));
        return structs;

        void ForEach(string kind, EntryReader read)
        {
            var (stride, typeName, array) = (Entry(kind + "EntryArrayStride"), Entry(kind + "EntryTypeNameOffset"), Exported($"gHotSpotVM{kind}s"));
            Span<byte> entry = stackalloc byte[LongestStride + PointerBytes];
            for (ulong i = 0; i < MostEntries; i++)
            {
                memory.Fill(array + i * stride, entry[..(int)(stride + PointerBytes)]);
                var name = BinaryPrimitives.ReadUInt64LittleEndian(entry[(int)typeName..]);
                if (name == 0)
                {
                    return;
                }

                if (memory.Name(name, LongestName) is var type && types.Contains(type))
                {
                    read(type, entry);
                }
            }

            throw new FormatException($"gHotSpotVM{kind}s has more than {MostEntries} entries");
        }
    }

    private delegate void EntryReader(string type, ReadOnlySpan<byte> entry);

    /// <summary>Bytes of a type; 0 when it is not described.</summary>
    public ulong SizeOf(string type) => _sizes.GetValueOrDefault(type);

    /// <exception cref="FormatException">There is no such field, or it lies further in than any structure is long.</exception>
    public Field this[string type, string field] => Find(type, field) ?? throw new FormatException($"HotSpot describes no {type}::{field}");

    /// <summary>The field, or null.</summary>
    public Field? Find(string type, string field)
    {
        const ulong LongestStructure = 4096;
        return _fields.TryGetValue((type, field), out var found) && found.Offset < LongestStructure ? found : null;
    }
}

/// <summary>Reads values out of a process's memory.</summary>
internal static class MemoryValues
{
    /// <exception cref="FormatException">The memory cannot be read.</exception>
    public static void Fill(this IByteSource memory, ulong address, Span<byte> buffer)
    {
        if (address > long.MaxValue || memory.ReadFully((long)address, buffer) < buffer.Length)
        {
            throw new FormatException($"no {buffer.Length} bytes to read at 0x{address:x}");
        }
    }

    /// <exception cref="FormatException">The memory cannot be read.</exception>
    public static ulong Pointer(this IByteSource memory, ulong address)
    {
        Span<byte> bytes = stackalloc byte[8];
        memory.Fill(address, bytes);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }

    /// <exception cref="FormatException">The memory cannot be read.</exception>
    public static ushort Short(this IByteSource memory, ulong address)
    {
        Span<byte> bytes = stackalloc byte[2];
        memory.Fill(address, bytes);
        return BinaryPrimitives.ReadUInt16LittleEndian(bytes);
    }

    /// <exception cref="FormatException">The memory cannot be read.</exception>
    public static int Number(this IByteSource memory, ulong address)
    {
        Span<byte> bytes = stackalloc byte[4];
        memory.Fill(address, bytes);
        return BinaryPrimitives.ReadInt32LittleEndian(bytes);
    }

    /// <summary>Text up to a zero byte, cut at <paramref name="limit"/> bytes; what cannot be read ends it.</summary>
    public static string Name(this IByteSource memory, ulong address, int limit)
    {
        Span<byte> bytes = stackalloc byte[limit];
        var have = address > long.MaxValue ? 0 : memory.ReadFully((long)address, bytes);
        var end = bytes[..have].IndexOf((byte)0);
        return Encoding.UTF8.GetString(bytes[..(end < 0 ? have : end)]);
    }
}
