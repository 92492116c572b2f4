using System.Runtime.InteropServices;
using ActorProfiler.Collector.Processes;

namespace ActorProfiler.Collector.Sampling;

/// <summary>An unwind table in a shard, or a part of one: tables larger than a shard are cut.</summary>
/// <param name="Index">In map <c>executables</c>.</param>
/// <param name="FirstAddress">First file address it covers; <paramref name="EndAddress"/> is exclusive.</param>
internal sealed record TablePiece(uint Index, ulong FirstAddress, ulong EndAddress, ShardRange Range);

/// <summary><c>struct mapping</c> in bpf/unwind.h: an executable mapping of a process, or a part of one, and the table that covers it.</summary>
/// <param name="Bias">Process address − bias = file address.</param>
/// <param name="Executable">0 = no table: frame pointers.</param>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct MappingRow(ulong Start, ulong End, ulong Bias, uint Executable, uint Padding = 0)
{
    /// <summary>Adds the rows of one mapping, in order of address: one for each piece of its table, and for what lies between.</summary>
    public static void Add(List<MappingRow> rows, MappedFile mapped, IReadOnlyList<TablePiece> pieces)
    {
        var mapping = mapped.Mapping;
        var position = mapping.Start;
        foreach (var piece in pieces)
        {
            var start = Math.Max(position, unchecked(piece.FirstAddress + mapped.Bias));
            var end = Math.Min(mapping.End, unchecked(piece.EndAddress + mapped.Bias));
            if (start >= end)
            {
                continue;
            }

            if (start > position)
            {
                rows.Add(new MappingRow(position, start, mapped.Bias, Executable: 0));
            }

            rows.Add(new MappingRow(start, end, mapped.Bias, piece.Index));
            position = end;
        }

        if (position < mapping.End)
        {
            rows.Add(new MappingRow(position, mapping.End, mapped.Bias, Executable: 0));
        }
    }
}
