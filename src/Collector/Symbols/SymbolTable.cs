using ActorProfiler.Collector.Elf;

namespace ActorProfiler.Collector.Symbols;

/// <summary>The functions of one ELF symbol table, by address: 12 bytes a symbol; names stay in the file.</summary>
/// <remarks>
/// A symbol reaches as far as its size says. One without a size, as of hand-written assembly, reaches at most to the next address that has a symbol or to the end of its section.
/// Owns nothing: names are read from the file given, and are null once that is closed.
/// </remarks>
internal sealed class SymbolTable
{
    private const int EntrySize = 24;
    private const int ReadEntries = 4096;
    private const uint NameMask = Unsized - 1;
    private const uint Unsized = 1u << 29;
    private const int NestingLimit = 64;

    private readonly IByteSource _source;
    private readonly ElfSection _strings;
    private readonly ulong _start;
    private readonly uint[] _offsets;
    private readonly uint[] _sizes;
    private readonly uint[] _names; // upper 2 bits: rank of the binding, smaller is better; then whether no symbol of the address has a size

    private SymbolTable(IByteSource source, ElfSection strings, ulong start, ulong[] addresses, ulong[] sizesAndNames, int count)
    {
        (_source, _strings, _start) = (source, strings, start);
        _offsets = new uint[count];
        _sizes = new uint[count];
        _names = new uint[count];
        for (var i = 0; i < count; i++)
        {
            _offsets[i] = (uint)(addresses[i] - start);
            _sizes[i] = (uint)(sizesAndNames[i] >> 32);
            _names[i] = (uint)sizesAndNames[i];
        }
    }

    public int Count => _offsets.Length;

    /// <summary>Reads a table, or returns null when there is no function in it.</summary>
    /// <param name="file">Where the table is: the program itself or its file of debug information.</param>
    /// <param name="program">Whose code segments bound the addresses; a debug file may not have them.</param>
    /// <exception cref="FormatException">The table or its strings reach past the end or over the limits.</exception>
    public static SymbolTable? Read(ElfFile file, ElfSection symbols, ElfFile program)
    {
        if (!symbols.HasBytes || symbols.Link >= file.Sections.Length || symbols.Size > ElfLimits.SymbolTableBytes)
        {
            return symbols.HasBytes ? throw new FormatException($"{symbols.Name} of {file.Path}: {symbols.Size} bytes, strings in section {symbols.Link}") : null;
        }

        var strings = file.Sections[(int)symbols.Link];
        if (strings.Offset > (ulong)file.Source.Length || strings.Size > (ulong)file.Source.Length - strings.Offset)
        {
            throw new FormatException($"strings of {symbols.Name} reach past the end of {file.Path}");
        }

        var capacity = (int)(symbols.Size / EntrySize);
        var addresses = new ulong[capacity];
        var sizesAndNames = new ulong[capacity];
        var count = ReadEntriesOf(file, symbols, program, addresses, sizesAndNames);
        if (count == 0)
        {
            return null;
        }

        Array.Sort(addresses, sizesAndNames, 0, count);
        Extend(addresses.AsSpan(0, count), sizesAndNames, program);
        while (addresses[count - 1] - addresses[0] > uint.MaxValue)
        {
            count--; // code that spans more than 4 GiB: the rest stays without names
        }

        return new SymbolTable(file.Source, strings, addresses[0], addresses, sizesAndNames, count);
    }

    /// <summary>The function that holds an address: the index of the first of its aliases, or -1.</summary>
    /// <remarks>Of nested functions the innermost. Equal results mean the same function, so the index may be a cache's key.</remarks>
    public int Find(ulong address)
    {
        if (address < _start || address - _start > uint.MaxValue)
        {
            return -1;
        }

        var offset = (uint)(address - _start);
        var index = Array.BinarySearch(_offsets, offset);
        index = index < 0 ? ~index - 1 : LastOf(index);
        for (var steps = 0; index >= 0 && steps < NestingLimit; index--, steps++)
        {
            if (offset - _offsets[index] < _sizes[index])
            {
                return FirstOf(index);
            }
        }

        return -1;
    }

    public ulong AddressOf(int index) => _start + _offsets[index];

    /// <summary>Whether nothing in the table says where the function ends: other functions may lie before the next symbol.</summary>
    public bool IsUnsized(int index) => (_names[index] & Unsized) != 0;

    /// <summary>The name of the function at <paramref name="first"/>, as in the table; null when it cannot be read.</summary>
    /// <remarks>
    /// Of several names for one address: those with the largest size; then global before weak before local; then without a leading
    /// underscore; then the shortest; then the first by ordinal comparison.
    /// </remarks>
    public string? NameOf(int first)
    {
        var last = LastOf(first);
        var size = 0u;
        var rank = uint.MaxValue;
        for (var i = first; i <= last; i++)
        {
            var better = _sizes[i] > size || (_sizes[i] == size && _names[i] >> 30 < rank);
            (size, rank) = better ? (_sizes[i], _names[i] >> 30) : (size, rank);
        }

        string? best = null;
        for (var i = first; i <= last && i - first < NestingLimit; i++)
        {
            if (_sizes[i] == size && _names[i] >> 30 == rank && ReadName(_names[i] & NameMask) is { Length: > 0 } name)
            {
                best = best is null || IsBetter(name, best) ? name : best;
            }
        }

        return best;
    }

    private static bool IsBetter(string name, string than)
    {
        // Every C++ and Rust v0 name begins with an underscore: only among names of which some do not does it say "internal".
        var order = name.StartsWith('_').CompareTo(than.StartsWith('_'));
        order = order != 0 ? order : name.Length.CompareTo(than.Length);
        return (order != 0 ? order : string.CompareOrdinal(name, than)) < 0;
    }

    private string? ReadName(uint at)
    {
        if (at >= _strings.Size)
        {
            return null;
        }

        Span<byte> bytes = stackalloc byte[256];
        var name = ReadUpTo(at, bytes);
        if (name < 0)
        {
            bytes = new byte[ElfLimits.NameBytes];
            name = ReadUpTo(at, bytes);
        }

        bytes = name < 0 ? bytes : bytes[..name];
        var version = bytes.IndexOf((byte)'@'); // realpath@GLIBC_2.2.5
        return bytes.IsEmpty ? null : SymbolText.From(version > 0 ? bytes[..version] : bytes);
    }

    private int ReadUpTo(uint at, Span<byte> bytes)
    {
        var wanted = (int)Math.Min((ulong)bytes.Length, _strings.Size - at);
        var have = _source.ReadFully((long)(_strings.Offset + at), bytes[..wanted]);
        var end = bytes[..have].IndexOf((byte)0);
        return end >= 0 ? end : have < bytes.Length ? have : -1;
    }

    private int FirstOf(int index)
    {
        while (index > 0 && _offsets[index - 1] == _offsets[index])
        {
            index--;
        }

        return index;
    }

    private int LastOf(int index)
    {
        while (index + 1 < _offsets.Length && _offsets[index + 1] == _offsets[index])
        {
            index++;
        }

        return index;
    }

    private static int ReadEntriesOf(ElfFile file, ElfSection symbols, ElfFile program, ulong[] addresses, ulong[] sizesAndNames)
    {
        var buffer = new byte[ReadEntries * EntrySize];
        var count = 0;
        for (ulong done = 0; done + EntrySize <= symbols.Size;)
        {
            var wanted = (int)Math.Min((ulong)buffer.Length, (symbols.Size - done) / EntrySize * EntrySize);
            var have = file.Source.ReadFully((long)(symbols.Offset + done), buffer.AsSpan(0, wanted));
            if (have < wanted)
            {
                throw new FormatException($"{symbols.Name} reaches past the end of {file.Path}");
            }

            count = AddFunctions(buffer.AsSpan(0, have), program, addresses, sizesAndNames, count);
            done += (ulong)have;
        }

        return count;
    }

    private static int AddFunctions(ReadOnlySpan<byte> entries, ElfFile program, ulong[] addresses, ulong[] sizesAndNames, int count)
    {
        const int Function = 2, IndirectFunction = 10;
        var fields = new ByteReader(entries);
        while (!fields.AtEnd)
        {
            var (name, kind, _, section, address, size) = (fields.U32(), fields.U8(), fields.U8(), fields.U16(), fields.U64(), fields.U64());
            if ((kind & 15) is not (Function or IndirectFunction) || section == 0 || name > NameMask || !program.IsCode(address))
            {
                continue;
            }

            addresses[count] = address;
            sizesAndNames[count++] = Math.Min(size, uint.MaxValue) << 32 | RankOf(kind >> 4) << 30 | name;
        }

        return count;
    }

    private static ulong RankOf(int binding) => binding switch { 1 or 10 => 0, 2 => 1, _ => 2 };

    private static void Extend(ReadOnlySpan<ulong> addresses, Span<ulong> sizesAndNames, ElfFile program)
    {
        var next = program.Module.Limit;
        for (var last = addresses.Length - 1; last >= 0;)
        {
            var first = last;
            var sized = sizesAndNames[last] >> 32 != 0;
            while (first > 0 && addresses[first - 1] == addresses[last])
            {
                sized |= sizesAndNames[--first] >> 32 != 0;
            }

            for (var i = first; i <= last && !sized; i++)
            {
                sizesAndNames[i] |= Math.Min(Math.Min(next, EndOfSection(program, addresses[i])) - addresses[i], uint.MaxValue) << 32 | Unsized;
            }

            next = addresses[first];
            last = first - 1;
        }
    }

    private static ulong EndOfSection(ElfFile program, ulong address)
    {
        foreach (var section in program.Sections)
        {
            if (section.Address != 0 && section.Contains(address))
            {
                return section.Address + section.Size;
            }
        }

        return ulong.MaxValue;
    }
}
