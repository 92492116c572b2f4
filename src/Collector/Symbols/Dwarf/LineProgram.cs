using ActorProfiler.Collector.Elf;

namespace ActorProfiler.Collector.Symbols.Dwarf;

/// <summary>Runs the line number program of a unit. Source: DWARF 5 §6.2; versions 2 to 5.</summary>
internal static class LineProgram
{
    private const int RowLimit = 4_000_000;
    private const int FileLimit = 100_000;

    private sealed record Header(int Version, int OffsetSize, byte MinimumLength, sbyte LineBase, byte LineRange, byte[] OperandCounts);

    /// <exception cref="FormatException">The program is malformed or larger than the limits.</exception>
    public static LineTable Run(DwarfReader reader, DwarfUnit unit, ulong offset)
    {
        var fields = new ByteReader(reader.Sections.Lines);
        fields.Seek(offset);
        ulong length = fields.U32();
        var offsetSize = length == uint.MaxValue ? 8 : 4;
        length = offsetSize == 8 ? fields.U64() : length;
        var program = new ByteReader(fields.Take(length));
        var version = program.U16();
        if (version is < 2 or > 5)
        {
            throw new FormatException($"line program of version {version}");
        }

        program.Skip(version >= 5 ? 2ul : 0);
        var headerLength = offsetSize == 8 ? program.U64() : program.U32();
        var start = (ulong)program.Position + headerLength;
        var minimum = program.U8();
        program.Skip(version >= 4 ? 2ul : 1ul); // operations per instruction, default of is_stmt
        var (lineBase, lineRange, opcodeBase) = ((sbyte)program.U8(), program.U8(), program.U8());
        if (lineRange == 0 || opcodeBase == 0)
        {
            throw new FormatException("line program with a line range or opcode base of 0");
        }

        var header = new Header(version, offsetSize, minimum, lineBase, lineRange, program.Take((ulong)opcodeBase - 1).ToArray());
        var files = version >= 5 ? ReadFiles5(reader, unit, ref program, offsetSize) : ReadFiles(unit, ref program);
        program.Seek(start);
        return new LineTable(Rows(header, ref program), [.. files]);
    }

    private static List<string> ReadFiles(DwarfUnit unit, ref ByteReader fields)
    {
        var folders = new List<string> { unit.Folder };
        for (string folder; (folder = SymbolText.From(fields.ZeroTerminated())).Length > 0;)
        {
            folders.Add(Join(unit.Folder, folder));
            Bound(folders.Count);
        }

        var files = new List<string> { "" };
        for (string file; (file = SymbolText.From(fields.ZeroTerminated())).Length > 0;)
        {
            var folder = fields.Uleb();
            fields.Uleb();
            fields.Uleb();
            files.Add(Join(folder < (ulong)folders.Count ? folders[(int)folder] : "", file));
            Bound(files.Count);
        }

        return files;
    }

    private static List<string> ReadFiles5(DwarfReader reader, DwarfUnit unit, ref ByteReader fields, int offsetSize)
    {
        var lineUnit = unit with { OffsetSize = offsetSize };
        var folders = ReadEntries(reader, lineUnit, ref fields).ConvertAll(entry => Join(unit.Folder, entry.Path));
        return ReadEntries(reader, lineUnit, ref fields).ConvertAll(
            entry => Join(entry.Folder < (ulong)folders.Count ? folders[(int)entry.Folder] : "", entry.Path));
    }

    private static List<(string Path, ulong Folder)> ReadEntries(DwarfReader reader, DwarfUnit unit, ref ByteReader fields)
    {
        const int PathContent = 1, FolderContent = 2;
        var formats = new (ulong Content, ushort Form)[fields.U8()];
        for (var i = 0; i < formats.Length; i++)
        {
            formats[i] = (fields.Uleb(), (ushort)fields.Uleb());
        }

        var count = fields.Uleb();
        Bound((long)Math.Min(count, long.MaxValue));
        var entries = new List<(string, ulong)>();
        for (ulong i = 0; i < count; i++)
        {
            var (path, folder) = ("", 0ul);
            foreach (var (content, declared) in formats)
            {
                var form = declared;
                if (content == PathContent && form == 0x08)
                {
                    path = SymbolText.From(fields.ZeroTerminated());
                    continue;
                }

                var value = DwarfForms.Read(ref fields, unit, ref form, 0);
                path = content == PathContent ? reader.Text(unit, (value, form)) : path;
                folder = content == FolderContent ? value : folder;
            }

            entries.Add((path, folder));
        }

        return entries;
    }

    private static (ulong, int, int)[] Rows(Header header, ref ByteReader fields)
    {
        var rows = new List<(ulong Address, int File, int Line)>();
        var (address, file, line) = (0ul, 1, 1);
        while (!fields.AtEnd)
        {
            var opcode = fields.U8();
            if (opcode > header.OperandCounts.Length)
            {
                var special = opcode - header.OperandCounts.Length - 1;
                address = unchecked(address + (ulong)(special / header.LineRange) * header.MinimumLength);
                line = unchecked(line + header.LineBase + special % header.LineRange);
                Add(rows, address, file, Math.Max(line, 0));
                continue;
            }

            switch (opcode)
            {
                case 0:
                    Extended(rows, ref fields, ref address, ref file, ref line);
                    break;
                case 1:
                    Add(rows, address, file, Math.Max(line, 0));
                    break;
                case 2:
                    address = unchecked(address + fields.Uleb() * header.MinimumLength);
                    break;
                case 3:
                    line = unchecked(line + (int)fields.Sleb());
                    break;
                case 4:
                    file = (int)Math.Min(fields.Uleb(), FileLimit);
                    break;
                case 8:
                    address = unchecked(address + (ulong)((255 - header.OperandCounts.Length - 1) / header.LineRange) * header.MinimumLength);
                    break;
                case 9:
                    address = unchecked(address + fields.U16());
                    break;
                default:
                    for (var operands = header.OperandCounts[opcode - 1]; operands > 0; operands--)
                    {
                        fields.Uleb();
                    }

                    break;
            }
        }

        // Sequences are in any order; the end of one may be the start of the next, which then comes last and wins.
        var sorted = rows.Select((row, index) => (row, index)).ToArray();
        Array.Sort(sorted, static (one, other) =>
        {
            var order = one.row.Address.CompareTo(other.row.Address);
            order = order != 0 ? order : (one.row.Line != LineTable.End).CompareTo(other.row.Line != LineTable.End);
            return order != 0 ? order : one.index.CompareTo(other.index);
        });
        return Array.ConvertAll(sorted, entry => entry.row);
    }

    private static void Extended(List<(ulong Address, int File, int Line)> rows, ref ByteReader fields, ref ulong address, ref int file, ref int line)
    {
        const byte EndSequence = 1, SetAddress = 2;
        var operands = new ByteReader(fields.Take(fields.Uleb()));
        switch (operands.AtEnd ? (byte)0 : operands.U8())
        {
            case EndSequence:
                Add(rows, address, 0, LineTable.End);
                (address, file, line) = (0, 1, 1);
                break;
            case SetAddress:
                address = operands.U64();
                break;
        }
    }

    private static void Add(List<(ulong Address, int File, int Line)> rows, ulong address, int file, int line)
    {
        if (rows.Count >= RowLimit)
        {
            throw new FormatException($"more than {RowLimit} rows in one line program");
        }

        rows.Add((address, file, line));
    }

    private static void Bound(long count)
    {
        if (count > FileLimit)
        {
            throw new FormatException($"more than {FileLimit} files in one line program");
        }
    }

    private static string Join(string folder, string path) =>
        path.StartsWith('/') || folder.Length == 0 ? path : path.Length == 0 ? folder : folder.EndsWith('/') ? folder + path : $"{folder}/{path}";
}
