using System.Buffers.Binary;

namespace ActorProfiler.Collector.Elf.Go;

/// <summary>The function table that every Go program carries, stripped or not (<c>.gopclntab</c>), of Go 1.18 and later.</summary>
/// <remarks>
/// Source: go/src/runtime/symtab.go and go/src/internal/abi/symtab.go at go1.18 to go1.26. Functions are kept as 8 bytes each; all else is read
/// from the file when asked for. Owns nothing.
/// </remarks>
internal sealed class GoTable
{
    private const uint Magic118 = 0xfffffff0, Magic120 = 0xfffffff1;
    private const int FunctionLimit = 4_000_000;
    private const int HeaderSize = 72;
    private const int RecordSize118 = 40, RecordSize120 = 44;
    private const int NameBytes = 4096;
    private const int InlineTree = 3, InlineIndex = 2;

    private readonly IByteSource _source;
    private readonly ElfSection _section;
    private readonly bool _has120;
    private readonly uint _quantum;
    private readonly ulong _names, _units, _files, _values, _functions;
    private readonly ulong? _functionData; // offset in the file of what funcdata offsets count from
    private readonly uint[] _starts; // from TextStart, sorted; one more than there are functions
    private readonly uint[] _records;

    private GoTable(ElfFile file, ElfSection section, byte[] header)
    {
        var fields = new ByteReader(header);
        var magic = fields.U32();
        if (magic is not (Magic118 or Magic120))
        {
            throw new FormatException($".gopclntab of {file.Path} has magic {magic:x}: tables of Go 1.18 and later are read");
        }

        fields.Skip(2);
        (_quantum, var pointerSize) = (fields.U8(), fields.U8());
        var (count, _, text) = (fields.U64(), fields.U64(), fields.U64());
        (_names, _units, _files, _values, _functions) = (fields.U64(), fields.U64(), fields.U64(), fields.U64(), fields.U64());
        if (pointerSize != 8 || _quantum is not (1 or 4) || count > FunctionLimit || _functions > section.Size)
        {
            throw new FormatException($".gopclntab of {file.Path}: {count} functions at {_functions:x} of {section.Size:x}, pointers of {pointerSize} bytes");
        }

        (_source, _section, _has120) = (file.Source, section, magic == Magic120);
        var module = GoModule.Find(file, section, _has120);
        TextStart = text != 0 ? text : module.Text;
        _functionData = module.FunctionData;
        (_starts, _records) = ReadFunctions((int)count, file.Path);
    }

    public ulong TextStart { get; }

    public int Count => _starts.Length - 1;

    /// <summary>Whether calls that the compiler inlined can be told.</summary>
    public bool HasInlines => _functionData is not null;

    /// <summary>Null when the file is no Go program.</summary>
    /// <exception cref="FormatException">The table is malformed or of another version.</exception>
    public static GoTable? Read(ElfFile file)
    {
        var found = file.Section(".gopclntab") ?? file.Section(".data.rel.ro.gopclntab") ?? (file.IsGo ? FindMerged(file) : null);
        return found is { HasBytes: true } section
            ? new GoTable(file, section, file.Source.ReadRange(section.Offset, HeaderSize, HeaderSize, "header of .gopclntab"))
            : null;
    }

    /// <summary>Other linkers than Go's put the table of position-independent programs among other data: the rest of that section from the table's header on.</summary>
    private static ElfSection? FindMerged(ElfFile file)
    {
        if (file.Section(".data.rel.ro") is not { HasBytes: true, IsCompressed: false, Size: <= ElfLimits.GoTableBytes } section)
        {
            return null;
        }

        ReadOnlySpan<byte> after = [0xff, 0xff, 0xff, 0, 0, 1, 8]; // rest of the magic, padding, quantum of x86, size of pointers
        var bytes = file.ReadSection(section, ElfLimits.GoTableBytes);
        for (var at = 0; at + HeaderSize <= bytes.Length; at += 8)
        {
            if (bytes[at] is (byte)(Magic118 & 0xff) or (byte)(Magic120 & 0xff) && bytes.AsSpan(at + 1).StartsWith(after))
            {
                return section with { Address = section.Address + (ulong)at, Offset = section.Offset + (ulong)at, Size = section.Size - (ulong)at };
            }
        }

        return null;
    }

    /// <summary>Index of the function that holds a virtual address, or -1.</summary>
    public int Find(ulong address)
    {
        if (address < TextStart || address - TextStart >= _starts[^1])
        {
            return -1;
        }

        var index = Array.BinarySearch(_starts, (uint)(address - TextStart));
        return index < 0 ? ~index - 1 : index;
    }

    /// <summary>How much stack the functions use. Reads the whole table.</summary>
    /// <exception cref="FormatException">The table is too large, or the file shrank.</exception>
    public GoStackDepths ReadStackDepths(ElfFile file) => new(
        file.ReadSection(_section, ElfLimits.GoTableBytes), TextStart, _starts, _records, _functions, _values, _names, _quantum, _has120);

    public ulong AddressOf(int index) => TextStart + _starts[index];

    /// <summary>What is known of one function.</summary>
    /// <exception cref="FormatException">Its record is malformed.</exception>
    public GoFunction ReadFunction(int index)
    {
        var fields = new ByteReader(Read(_functions + _records[index], _has120 ? RecordSize120 : RecordSize118));
        fields.Skip(4);
        var name = fields.U32();
        fields.Skip(12);
        var (files, lines, dataCount, unit) = (fields.U32(), fields.U32(), fields.U32(), fields.U32());
        var startLine = _has120 ? (int)fields.U32() : 0;
        fields.Skip(3);
        var functionDataCount = fields.U8();
        var tables = _functions + _records[index] + (ulong)fields.Position;
        var inlineIndex = dataCount > InlineIndex ? U32(tables + 4 * InlineIndex) : 0;
        var tree = functionDataCount > InlineTree && dataCount < 1024 ? U32(tables + 4 * (dataCount + InlineTree)) : uint.MaxValue;
        return new GoFunction(AddressOf(index), name, startLine, files, lines, unit, inlineIndex, tree == uint.MaxValue || !HasInlines ? null : tree);
    }

    public string Name(uint offset) => Text(_names + offset);

    /// <summary>The source file of a function at an address, or "".</summary>
    public string FileAt(GoFunction function, ulong address)
    {
        var number = ValueAt(function.Files, function.Start, address).Value;
        if (number < 0 || function.Unit == uint.MaxValue)
        {
            return "";
        }

        var offset = U32(_units + 4ul * (function.Unit + (ulong)number));
        return offset == uint.MaxValue ? "" : Text(_files + offset);
    }

    /// <summary>The line at an address and the first address it holds for.</summary>
    public (int Value, ulong From) LineAt(GoFunction function, ulong address) => ValueAt(function.Lines, function.Start, address);

    /// <summary>Index in the function's tree of inlined calls, -1 where nothing is inlined, and the first address it holds for.</summary>
    public (int Value, ulong From) InlineAt(GoFunction function, ulong address) =>
        function.InlineIndex == 0 || function.InlineTree is null ? (-1, function.Start) : ValueAt(function.InlineIndex, function.Start, address);

    /// <summary>One inlined call: its function's name and first line, and where in the function around it is the call.</summary>
    /// <exception cref="FormatException">The tree reaches past the end of the file.</exception>
    public (uint Name, int StartLine, ulong CallAddress) ReadInlined(GoFunction function, int index)
    {
        var size = _has120 ? 16 : 20;
        var at = _functionData!.Value + function.InlineTree!.Value + (ulong)(index * size);
        var fields = new ByteReader(_source.ReadRange(at, (ulong)size, size, "tree of inlined calls"));
        fields.Skip(_has120 ? 4ul : 12ul);
        var name = fields.U32();
        var call = function.Start + fields.U32();
        return (name, _has120 ? (int)fields.U32() : 0, call);
    }

    /// <summary>Runs a table of (value, address) steps, each a difference to the one before, up to an address.</summary>
    private (int Value, ulong From) ValueAt(uint table, ulong start, ulong address)
    {
        const int Chunk = 8192;
        if (table == 0)
        {
            return (-1, start);
        }

        var at = _values + table;
        var available = at >= _section.Size ? 0 : (int)Math.Min(Chunk, _section.Size - at);
        var fields = new ByteReader(Read(at, available));
        var (value, from) = (-1, start);
        for (var isFirst = true; ; isFirst = false)
        {
            var step = (uint)fields.Uleb();
            if (step == 0 && !isFirst)
            {
                return (-1, from); // padding behind the code
            }

            value += (step & 1) != 0 ? (int)~(step >> 1) : (int)(step >> 1);
            var until = from + fields.Uleb() * _quantum;
            if (address < until)
            {
                return (value, from);
            }

            from = until;
        }
    }

    private (uint[] Starts, uint[] Records) ReadFunctions(int count, string path)
    {
        var fields = new ByteReader(Read(_functions, checked(count * 8 + 4)));
        var (starts, records) = (new uint[count + 1], new uint[count]);
        for (var i = 0; i < count; i++)
        {
            (starts[i], records[i]) = (fields.U32(), fields.U32());
            if (i > 0 && starts[i] < starts[i - 1])
            {
                throw new FormatException($".gopclntab of {path}: function {i} begins before the one in front of it");
            }
        }

        starts[count] = fields.U32();
        return (starts, records);
    }

    private uint U32(ulong offset) => BinaryPrimitives.ReadUInt32LittleEndian(Read(offset, 4));

    private string Text(ulong offset)
    {
        var length = offset >= _section.Size ? 0 : (int)Math.Min(NameBytes, _section.Size - offset);
        var bytes = Read(offset, length).AsSpan();
        var end = bytes.IndexOf((byte)0);
        return SymbolText.From(end < 0 ? bytes : bytes[..end]);
    }

    private byte[] Read(ulong offset, int length) =>
        offset <= _section.Size && (ulong)length <= _section.Size - offset
            ? _source.ReadRange(_section.Offset + offset, (ulong)length, int.MaxValue, ".gopclntab")
            : throw new FormatException($".gopclntab: {length} bytes at {offset:x} of {_section.Size:x}");
}
