using System.Buffers.Binary;
using ActorProfiler.Collector.Elf;

namespace ActorProfiler.Collector.Interpreters.V8;

/// <summary>The description of its own objects that V8 exports for debuggers: numbers named <c>v8dbg_…</c>.</summary>
/// <remarks>Source: tools/gen-postmortem-metadata.py of V8, which Node.js builds with. A name ends in the C++ type of the field, which changes with versions.</remarks>
internal sealed class V8Constants
{
    private const string Prefix = "v8dbg_";
    private const int MostConstants = 4096; // Node.js 20 has 531

    private readonly SortedDictionary<string, int> _values = new(StringComparer.Ordinal);

    /// <param name="values">By name, without <c>v8dbg_</c>.</param>
    public V8Constants(IEnumerable<KeyValuePair<string, int>> values)
    {
        foreach (var (name, value) in values)
        {
            _values[name] = value;
        }
    }

    /// <summary>Reads those of a file; null when it exports none.</summary>
    /// <exception cref="FormatException">A table reaches past the end of the file, or over the limits.</exception>
    public static V8Constants? Read(ElfFile file)
    {
        var values = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (name, address) in DynamicSymbols.StartingWith(file, Prefix, MostConstants))
        {
            values[name[Prefix.Length..]] = ValueAt(file, address);
        }

        return values.Count == 0 ? null : new V8Constants(values);
    }

    /// <summary>A number by its whole name.</summary>
    public int? Find(string name) => _values.TryGetValue(name, out var value) ? value : null;

    /// <summary>The offset of a field of a class, whatever its type is called.</summary>
    public int? Field(string type, string field) => First($"class_{type}__{field}__");

    /// <summary>The instance type of a class.</summary>
    public int? Type(string type) => First($"type_{type}__");

    private int? First(string prefix)
    {
        foreach (var (name, value) in _values)
        {
            if (name.StartsWith(prefix, StringComparison.Ordinal))
            {
                return value;
            }
        }

        return null;
    }

    /// <summary>Zero is not in the file, but in what the loader clears.</summary>
    private static int ValueAt(ElfFile file, ulong address)
    {
        Span<byte> value = stackalloc byte[sizeof(int)];
        return file.OffsetOf(address) is not { } offset ? 0
            : file.Source.ReadFully((long)offset, value) == value.Length ? BinaryPrimitives.ReadInt32LittleEndian(value)
            : throw new FormatException($"{file.Path}: the constant at 0x{address:x} is past the end of the file");
    }
}
