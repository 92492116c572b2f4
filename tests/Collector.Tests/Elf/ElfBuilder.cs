using System.Buffers.Binary;
using System.Text;

namespace ActorProfiler.Tests.Elf;

/// <summary>Writes small ELF files by hand: one code segment from <see cref="CodeOffset"/>, sections one after the other, headers last.</summary>
internal sealed class ElfBuilder
{
    public const ulong CodeOffset = 0x1000;
    public const ulong CodeAddress = 0x401000;
    public const ulong CodeSize = 0x2000;

    private readonly List<(string Name, uint Type, ulong Flags, ulong Address, byte[] Bytes, uint Link)> _sections = [("", 0, 0, 0, [], 0)];

    public ElfBuilder Section(string name, uint type, byte[] bytes, ulong address = 0, uint link = 0, ulong flags = 0)
    {
        _sections.Add((name, type, flags, address, bytes, link));
        return this;
    }

    public ElfBuilder GnuBuildId(params byte[] id) =>
        Section(".note.gnu.build-id", 7, [4, 0, 0, 0, (byte)id.Length, 0, 0, 0, 3, 0, 0, 0, .. "GNU\0"u8, .. id]);

    /// <summary>A symbol table and its strings. Binding: 0 local, 1 global, 2 weak.</summary>
    public ElfBuilder Symbols(params (string Name, ulong Address, ulong Size, int Type, int Binding)[] symbols)
    {
        var names = new List<byte> { 0 };
        var table = new byte[24 * (symbols.Length + 1)];
        for (var i = 0; i < symbols.Length; i++)
        {
            var entry = table.AsSpan(24 * (i + 1));
            BinaryPrimitives.WriteUInt32LittleEndian(entry, (uint)names.Count);
            entry[4] = (byte)(symbols[i].Binding << 4 | symbols[i].Type);
            BinaryPrimitives.WriteUInt16LittleEndian(entry[6..], 1);
            BinaryPrimitives.WriteUInt64LittleEndian(entry[8..], symbols[i].Address);
            BinaryPrimitives.WriteUInt64LittleEndian(entry[16..], symbols[i].Size);
            names.AddRange(Encoding.UTF8.GetBytes(symbols[i].Name));
            names.Add(0);
        }

        return Section(".symtab", 2, table, link: (uint)_sections.Count + 1).Section(".strtab", 3, [.. names]);
    }

    public byte[] Build()
    {
        var names = new List<byte> { 0 };
        var nameOffsets = new List<uint>();
        foreach (var section in _sections.Append((Name: ".shstrtab", 3, 0, 0, [], 0)))
        {
            nameOffsets.Add((uint)names.Count);
            names.AddRange(Encoding.UTF8.GetBytes(section.Name));
            names.Add(0);
        }

        var all = _sections.Append((".shstrtab", 3u, 0ul, 0ul, [.. names], 0u)).ToList();
        var file = new List<byte>(new byte[(int)(CodeOffset + CodeSize)]);
        var headers = new List<byte>();
        for (var i = 0; i < all.Count; i++)
        {
            var (_, type, flags, address, bytes, link) = all[i];
            headers.AddRange(SectionHeader(nameOffsets[i], type, flags, address, (ulong)file.Count, (ulong)bytes.Length, link));
            file.AddRange(bytes);
        }

        var sectionsAt = (ulong)file.Count;
        file.AddRange(headers);
        var result = file.ToArray();
        WriteHeader(result, sectionsAt, (ushort)all.Count);
        return result;
    }

    private static void WriteHeader(byte[] file, ulong sectionsAt, ushort sectionCount)
    {
        "\u007fELF\u0002\u0001\u0001"u8.CopyTo(file);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(16), 2);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(18), 62);
        BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(32), 64);
        BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(40), sectionsAt);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(54), 56);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(56), 2);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(58), 64);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(60), sectionCount);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(62), (ushort)(sectionCount - 1));
        Segment(file.AsSpan(64), 4, 0, 0x400000, CodeOffset);
        Segment(file.AsSpan(120), 5, CodeOffset, CodeAddress, CodeSize);
    }

    private static void Segment(Span<byte> at, uint flags, ulong offset, ulong address, ulong size)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(at, 1);
        BinaryPrimitives.WriteUInt32LittleEndian(at[4..], flags);
        BinaryPrimitives.WriteUInt64LittleEndian(at[8..], offset);
        BinaryPrimitives.WriteUInt64LittleEndian(at[16..], address);
        BinaryPrimitives.WriteUInt64LittleEndian(at[32..], size);
        BinaryPrimitives.WriteUInt64LittleEndian(at[40..], size);
    }

    private static byte[] SectionHeader(uint name, uint type, ulong flags, ulong address, ulong offset, ulong size, uint link)
    {
        var header = new byte[64];
        BinaryPrimitives.WriteUInt32LittleEndian(header, name);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(4), type);
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(8), flags);
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(16), address);
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(24), offset);
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(32), size);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(40), link);
        return header;
    }
}
