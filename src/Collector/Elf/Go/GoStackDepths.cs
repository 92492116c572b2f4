namespace ActorProfiler.Collector.Elf.Go;

/// <summary>What the runtime notes of a function (<c>abi.FuncFlag</c>).</summary>
[Flags]
internal enum GoFunctionFlags : byte
{
    None = 0,

    /// <summary>The outermost function of its stack, such as <c>runtime.goexit</c>.</summary>
    Top = 1,

    /// <summary>Assembly that sets the stack pointer in ways the table does not tell.</summary>
    WritesStackPointer = 2,
}

/// <param name="Start">Virtual address.</param>
/// <param name="End">Where the next function begins.</param>
internal readonly record struct GoCode(ulong Start, ulong End, GoFunctionFlags Flags);

/// <summary>How many bytes of stack each function of a Go program uses at each of its instructions (the pcsp tables of <c>.gopclntab</c>).</summary>
/// <remarks>The runtime's own tracebacks rely on it, so stripping leaves it. Source: go/src/runtime/symtab.go (funcspdelta, step) at go1.18 to go1.26.</remarks>
/// <param name="section">All bytes of the function table.</param>
/// <param name="starts">Of the functions, from <paramref name="text"/>; one more than there are functions.</param>
/// <param name="records">Offsets of their records from <paramref name="functions"/>.</param>
internal sealed class GoStackDepths(
    byte[] section, ulong text, uint[] starts, uint[] records, ulong functions, ulong values, ulong names, uint quantum, bool has120)
{
    private const int NameBytes = 4096;
    private const int RowLimit = 1 << 16;

    public int Count => records.Length;

    /// <summary>Empties <paramref name="rows"/> and fills it with one function's rows: from this address on the stack pointer is so many bytes below where the call left it.</summary>
    /// <exception cref="FormatException">The function's record or table is malformed.</exception>
    public GoCode Read(int index, List<(ulong From, int Depth)> rows)
    {
        rows.Clear();
        var record = RecordOf(index);
        record.Skip(16);
        var table = record.U32();
        record.Skip(has120 ? 21ul : 17ul); // files, lines, counts, the unit, the first line, the kind
        var code = new GoCode(text + starts[index], text + starts[index + 1], (GoFunctionFlags)record.U8());
        if (table != 0)
        {
            ReadRows(At(values + table), code, rows);
        }

        return code;
    }

    /// <summary>The function's name as its bytes; empty when it is none.</summary>
    /// <exception cref="FormatException">The function's record is malformed.</exception>
    public ReadOnlySpan<byte> NameOf(int index)
    {
        var record = RecordOf(index);
        record.Skip(4);
        var bytes = At(names + record.U32()).Rest;
        var end = bytes[..Math.Min(bytes.Length, NameBytes)].IndexOf((byte)0);
        return end < 0 ? [] : bytes[..end];
    }

    private ByteReader RecordOf(int index) => At(functions + records[index]);

    private void ReadRows(ByteReader fields, GoCode code, List<(ulong From, int Depth)> rows)
    {
        var (depth, from) = (-1, code.Start);
        for (var isFirst = true; from < code.End && rows.Count < RowLimit; isFirst = false)
        {
            var step = (uint)fields.Uleb();
            if (step == 0 && !isFirst)
            {
                return; // what follows is padding
            }

            depth += (step & 1) != 0 ? (int)~(step >> 1) : (int)(step >> 1);
            rows.Add((from, depth));
            from += fields.Uleb() * quantum;
        }
    }

    private ByteReader At(ulong offset) =>
        offset <= (ulong)section.Length ? new ByteReader(section.AsSpan((int)offset)) : throw new FormatException($".gopclntab: {offset:x} of {section.Length:x}");
}
