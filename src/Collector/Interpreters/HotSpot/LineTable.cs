namespace ActorProfiler.Collector.Interpreters.HotSpot;

/// <summary>The line table of a method, as it lies behind its bytecode.</summary>
/// <remarks>Source: src/hotspot/share/code/compressedStream.hpp, src/hotspot/share/oops/method.cpp (CompressedLineNumberReadStream) of OpenJDK.</remarks>
internal static class LineTable
{
    private const byte End = 0;
    private const byte Wide = 0xff;
    private const int BytecodeShift = 3;
    private const int LineMask = 7;

    /// <summary>The line of a bytecode: that of the last entry not behind it. 0 when there is none.</summary>
    /// <param name="bytecode">Its index in the method.</param>
    public static int Find(ReadOnlySpan<byte> table, int bytecode, CompressedNumbers numbers)
    {
        var (position, at, line, found, best) = (0, 0, 0, 0, -1);
        while (TryRead(table, numbers, ref position, ref at, ref line))
        {
            if (at <= bytecode && at > best)
            {
                (best, found) = (at, line);
            }
        }

        return Math.Max(found, 0);
    }

    /// <summary>Bytes of a table that begins <paramref name="table"/>, its end left out.</summary>
    public static int LengthOf(ReadOnlySpan<byte> table, CompressedNumbers numbers)
    {
        var (position, at, line) = (0, 0, 0);
        while (TryRead(table, numbers, ref position, ref at, ref line))
        {
        }

        return position;
    }

    /// <summary>Adds the next entry to where it counts from. False at the end.</summary>
    private static bool TryRead(ReadOnlySpan<byte> table, CompressedNumbers numbers, ref int position, ref int at, ref int line)
    {
        if (position >= table.Length || table[position] == End)
        {
            return false;
        }

        var next = position + 1;
        var (bytecodes, lines) = (table[position] >> BytecodeShift, table[position] & LineMask);
        if (table[position] == Wide && !(numbers.TryReadSigned(table, ref next, out bytecodes) && numbers.TryReadSigned(table, ref next, out lines)))
        {
            return false; // cut
        }

        (position, at, line) = (next, unchecked(at + bytecodes), unchecked(line + lines));
        return true;
    }
}
