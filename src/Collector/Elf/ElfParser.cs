using System.Collections.Immutable;
using System.Text;

namespace ActorProfiler.Collector.Elf;

/// <summary>Reads the headers of 64-bit little-endian ELF files for x86-64 and aarch64.</summary>
/// <remarks>Source: elf(5) and the System V ABI. All methods throw FormatException on malformed input.</remarks>
internal static class ElfParser
{
    private const int HeaderSize = 64;
    private const int SectionHeaderSize = 64;
    private const int ProgramHeaderSize = 56;

    /// <param name="Type">2 fixed address, 3 position independent.</param>
    internal readonly record struct Header(
        ushort Type, ElfMachine Machine, ulong EntryPoint, ulong SegmentsOffset, int SegmentCount, ulong SectionsOffset, int SectionCount, int NamesIndex);

    public static Header ReadHeader(IByteSource source)
    {
        Span<byte> bytes = stackalloc byte[HeaderSize];
        if (source.ReadFully(0, bytes) < HeaderSize || !bytes.StartsWith("\x7f"u8) || !bytes[1..].StartsWith("ELF"u8))
        {
            throw new FormatException($"not an ELF file: begins with {Convert.ToHexStringLower(bytes[..4])}");
        }

        if (bytes[4] != 2 || bytes[5] != 1)
        {
            throw new FormatException($"ELF class {bytes[4]}, byte order {bytes[5]}: only 64-bit little-endian files are read");
        }

        var fields = new ByteReader(bytes);
        fields.Seek(16);
        var type = fields.U16();
        var machine = (ElfMachine)fields.U16();
        if (machine is not (ElfMachine.X64 or ElfMachine.Arm64))
        {
            throw new FormatException($"ELF machine {(ushort)machine}: only x86-64 (62) and aarch64 (183) are read");
        }

        fields.Seek(24);
        var (entryPoint, segments, sections) = (fields.U64(), fields.U64(), fields.U64());
        fields.Seek(54);
        var segmentSize = fields.U16();
        var segmentCount = fields.U16();
        var sectionSize = fields.U16();
        var sectionCount = fields.U16();
        var names = fields.U16();
        Check("program", segmentCount, segmentSize, ProgramHeaderSize);
        Check("section", sectionCount, sectionSize, SectionHeaderSize);
        return new Header(type, machine, entryPoint, segments, segmentCount, sections, sections == 0 ? 0 : sectionCount, names);
    }

    public static ImmutableArray<ElfSegment> ReadSegments(IByteSource source, Header header)
    {
        var size = header.SegmentCount * ProgramHeaderSize;
        var fields = new ByteReader(source.ReadRange(header.SegmentsOffset, (ulong)size, ElfLimits.Headers * ProgramHeaderSize, "program headers"));
        var segments = ImmutableArray.CreateBuilder<ElfSegment>(header.SegmentCount);
        for (var i = 0; i < header.SegmentCount; i++)
        {
            var (type, flags, offset, address) = (fields.U32(), fields.U32(), fields.U64(), fields.U64());
            fields.Skip(8);
            segments.Add(new ElfSegment(type, flags, offset, address, fields.U64(), fields.U64()));
            fields.Skip(8);
        }

        return segments.MoveToImmutable();
    }

    public static ImmutableArray<ElfSection> ReadSections(IByteSource source, Header header)
    {
        if (header.SectionCount == 0)
        {
            return [];
        }

        var size = header.SectionCount * SectionHeaderSize;
        var bytes = source.ReadRange(header.SectionsOffset, (ulong)size, ElfLimits.Headers * SectionHeaderSize, "section headers");
        var names = ReadNames(source, header, bytes);
        var sections = ImmutableArray.CreateBuilder<ElfSection>(header.SectionCount);
        for (var i = 0; i < header.SectionCount; i++)
        {
            sections.Add(ReadSection(bytes.AsSpan(i * SectionHeaderSize, SectionHeaderSize), names));
        }

        return sections.MoveToImmutable();
    }

    private static ElfSection ReadSection(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> names)
    {
        var fields = new ByteReader(bytes);
        var name = fields.U32();
        return new ElfSection(
            NameAt(names, name), fields.U32(), fields.U64(), fields.U64(), fields.U64(), fields.U64(), fields.U32(), fields.U32());
    }

    private static ReadOnlySpan<byte> ReadNames(IByteSource source, Header header, ReadOnlySpan<byte> sections)
    {
        if (header.NamesIndex >= header.SectionCount)
        {
            return [];
        }

        var names = ReadSection(sections.Slice(header.NamesIndex * SectionHeaderSize, SectionHeaderSize), []);
        return names.HasBytes ? source.ReadRange(names.Offset, names.Size, ElfLimits.SectionNameBytes, "section names") : [];
    }

    private static string NameAt(ReadOnlySpan<byte> names, uint offset)
    {
        if (offset >= names.Length)
        {
            return "";
        }

        var rest = names[(int)offset..];
        var length = rest.IndexOf((byte)0);
        return length is > 0 and <= 256 ? Encoding.UTF8.GetString(rest[..length]) : "";
    }

    private static void Check(string what, int count, int size, int expected)
    {
        if (count > ElfLimits.Headers)
        {
            throw new FormatException($"{count} {what} headers, more than the limit of {ElfLimits.Headers}");
        }

        if (count > 0 && size != expected)
        {
            throw new FormatException($"{what} headers of {size} bytes, expected {expected}");
        }
    }
}
