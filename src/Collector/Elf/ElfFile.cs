using System.Collections.Immutable;

namespace ActorProfiler.Collector.Elf;

/// <summary>One ELF file, opened once: unwinding and symbolization read it through this object.</summary>
/// <remarks>
/// Immutable but for its closing, and safe to read from several threads. Owns its source: closed by the store it came from when
/// no process maps the file any more. After that <see cref="IsClosed"/> is true and the file reads as empty.
/// </remarks>
internal sealed class ElfFile : IDisposable
{
    private static readonly ulong _pageMask = ~((ulong)Environment.SystemPageSize - 1);

    private const ushort FixedAddress = 2;
    private const int DynamicBytes = 1 << 20;

    private readonly bool _hasFixedAddress;
    private string? _contentKey;

    private ElfFile(IByteSource source, string path, ElfParser.Header header)
    {
        Source = source;
        Path = path;
        Machine = header.Machine;
        EntryPoint = header.EntryPoint;
        _hasFixedAddress = header.Type == FixedAddress;
        Segments = ElfParser.ReadSegments(source, header);
        Sections = ElfParser.ReadSections(source, header);
        Module = CreateModule();
    }

    public IByteSource Source { get; }

    /// <summary>As in the maps of the process that first showed it, or a name such as <c>[vdso]</c>.</summary>
    public string Path { get; }

    public ElfMachine Machine { get; }

    /// <summary>Where the kernel or the dynamic linker starts a program; libraries may have one too, or 0.</summary>
    public ulong EntryPoint { get; }

    public ImmutableArray<ElfSegment> Segments { get; }

    public ImmutableArray<ElfSection> Sections { get; }

    public Module Module { get; }

    /// <summary>GNU build id in lower-case hex, else Go's build id as it is, else "".</summary>
    public string BuildId => Module.BuildId;

    /// <summary>Equal for two files only if names and unwind rules of one hold for the other; "" when nothing can be said. See <see cref="Elf.ContentKey"/>.</summary>
    public string ContentKey => _contentKey ??= Elf.ContentKey.Of(this);

    public bool IsClosed => Source is FileSource { IsClosed: true };

    /// <summary>Whether it is a Go program, whose functions are described by a table of its own.</summary>
    public bool IsGo => Section(".gopclntab") is not null || Section(".data.rel.ro.gopclntab") is not null || Section(".note.go.buildid") is not null;

    /// <summary>Whether it is a program and no library: at a fixed address, or marked as a position independent one.</summary>
    /// <exception cref="FormatException">The dynamic section reaches past the end of the file.</exception>
    public bool IsProgram()
    {
        const ulong Flags1 = 0x6ffffffb, PositionIndependentProgram = 0x08000000; // elf.h: DT_FLAGS_1, DF_1_PIE
        if (_hasFixedAddress || Section(".dynamic") is not { HasBytes: true } dynamic)
        {
            return _hasFixedAddress;
        }

        var entries = new ByteReader(ReadSection(dynamic, DynamicBytes));
        while (entries.Remaining >= 16)
        {
            var (tag, value) = (entries.U64(), entries.U64());
            if (tag == Flags1)
            {
                return (value & PositionIndependentProgram) != 0;
            }
        }

        return false;
    }

    /// <summary>Reads the headers. Takes over the source, also when it throws.</summary>
    /// <exception cref="FormatException">Not an ELF file that is read here, or a malformed one; names the path.</exception>
    public static ElfFile Read(IByteSource source, string path)
    {
        try
        {
            return new ElfFile(source, path, ElfParser.ReadHeader(source));
        }
        catch (FormatException e)
        {
            (source as IDisposable)?.Dispose();
            throw new FormatException($"read {path}: {e.Message}", e);
        }
    }

    /// <summary>The first section of that name, or null.</summary>
    public ElfSection? Section(string name)
    {
        foreach (var section in Sections)
        {
            if (section.Name == name)
            {
                return section;
            }
        }

        return null;
    }

    /// <summary>The bytes of a section, unpacked when it is compressed.</summary>
    /// <exception cref="FormatException">It has no bytes, is larger than the limit, damaged, or reaches past the end of the file.</exception>
    public byte[] ReadSection(ElfSection section, int limit)
    {
        if (!section.HasBytes)
        {
            throw new FormatException($"section {section.Name} has no bytes in {Path}");
        }

        var bytes = Source.ReadRange(section.Offset, section.Size, limit, $"section {section.Name}");
        return section.IsCompressed ? CompressedSection.Unpack(bytes, limit, $"section {section.Name} of {Path}") : bytes;
    }

    /// <summary>The virtual address of code at an offset in the file, or null when no executable segment holds it.</summary>
    /// <remarks>
    /// The kernel maps whole pages, so a mapping may begin before its segment does, and with lld two segments share a page:
    /// only executable ones count, and the one whose page-rounded start is the offset itself comes first.
    /// </remarks>
    public ulong? AddressOfOffset(ulong fileOffset)
    {
        ElfSegment? holder = null;
        foreach (var segment in Segments)
        {
            var start = segment.Offset & _pageMask;
            if (!segment.IsCode || fileOffset < start || fileOffset - segment.Offset >= segment.FileSize && fileOffset >= segment.Offset)
            {
                continue;
            }

            if (start == fileOffset)
            {
                holder = segment;
                break;
            }

            holder ??= segment;
        }

        return holder is { } found ? unchecked(fileOffset - found.Offset + found.Address) : null;
    }

    /// <summary>Where in the file the bytes of a virtual address are, or null when no loaded segment has them there.</summary>
    public ulong? OffsetOf(ulong address)
    {
        foreach (var segment in Segments)
        {
            if (segment.Type == ElfSegment.Load && address >= segment.Address && address - segment.Address < segment.FileSize)
            {
                return segment.Offset + (address - segment.Address);
            }
        }

        return null;
    }

    /// <summary>The virtual address of <paramref name="address"/> in a process.</summary>
    /// <param name="mappingStart">Where the mapping begins in the process.</param>
    /// <param name="mappingOffset">Which offset of the file is there.</param>
    /// <returns>The offset in the file itself where no executable segment holds the mapping.</returns>
    public ulong ToFileAddress(ulong mappingStart, ulong mappingOffset, ulong address) =>
        unchecked((AddressOfOffset(mappingOffset) ?? mappingOffset) + (address - mappingStart));

    /// <summary>Whether an executable segment holds the virtual address.</summary>
    public bool IsCode(ulong address)
    {
        foreach (var segment in Segments)
        {
            if (segment.IsCode && address >= segment.Address && address - segment.Address < segment.MemorySize)
            {
                return true;
            }
        }

        return false;
    }

    public void Dispose() => (Source as IDisposable)?.Dispose();

    private Module CreateModule()
    {
        ulong start = ulong.MaxValue, limit = 0, offset = 0;
        foreach (var segment in Segments)
        {
            if (!segment.IsCode || segment.MemorySize > ulong.MaxValue - segment.Address)
            {
                continue;
            }

            (start, offset) = segment.Address < start ? (segment.Address, segment.Offset) : (start, offset);
            limit = Math.Max(limit, segment.Address + segment.MemorySize);
        }

        return new Module(Path, ReadBuildId(), limit == 0 ? 0 : start, limit, offset);
    }

    private string ReadBuildId()
    {
        string? go = null;
        foreach (var (offset, size) in Notes())
        {
            if (size > ElfLimits.NoteBytes || offset > (ulong)Source.Length || size > (ulong)Source.Length - offset)
            {
                continue;
            }

            var notes = Source.ReadRange(offset, size, ElfLimits.NoteBytes, "notes");
            if (ElfNotes.FindGnuBuildId(notes) is { } gnu)
            {
                return gnu;
            }

            go ??= ElfNotes.FindGoBuildId(notes);
        }

        return go ?? "";
    }

    private IEnumerable<(ulong Offset, ulong Size)> Notes() =>
        Sections.Where(section => section.Type == ElfSection.Note).Select(section => (section.Offset, section.Size))
            .Concat(Segments.Where(segment => segment.Type == ElfSegment.NoteSegment).Select(segment => (segment.Offset, segment.FileSize)));
}
