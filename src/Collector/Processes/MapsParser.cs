using System.Collections.Immutable;
using System.Text;

namespace ActorProfiler.Collector.Processes;

/// <summary>Parses <c>/proc/PID/maps</c>.</summary>
/// <remarks>
/// <c>start-end perms offset major:minor inode path</c>: all but the inode are hexadecimal without 0x; the path is padded with spaces and
/// may contain spaces; a newline in it is written <c>\012</c>. Source: proc_pid_maps(5).
/// </remarks>
internal static class MapsParser
{
    /// <summary>All executable mappings, in the order of the file, which is by address.</summary>
    /// <param name="limit">Mappings after this many are left out.</param>
    /// <exception cref="FormatException">A line has another form; the message quotes it.</exception>
    public static ImmutableArray<MemoryMapping> ParseExecutable(ReadOnlySpan<byte> maps, int limit)
    {
        var mappings = ImmutableArray.CreateBuilder<MemoryMapping>();
        foreach (var range in maps.Split((byte)'\n'))
        {
            var line = maps[range];
            if (!line.IsEmpty && IsExecutable(line) && mappings.Count < limit)
            {
                mappings.Add(ParseLine(line));
            }
        }

        return mappings.ToImmutable();
    }

    /// <summary>Parses one line, without its newline.</summary>
    /// <exception cref="FormatException">The line has another form; the message quotes it.</exception>
    public static MemoryMapping ParseLine(ReadOnlySpan<byte> line)
    {
        var fields = new FieldReader(line);
        var start = fields.Hex('-');
        var end = fields.Hex(' ');
        var permissions = fields.Text(' ');
        var fileOffset = fields.Hex(' ');
        var major = fields.Hex(':');
        var minor = fields.Hex(' ');
        var inode = fields.Decimal(' ');
        var path = fields.Rest.TrimStart((byte)' ');
        if (end <= start)
        {
            throw new FormatException($"a mapping ends before it begins: \"{Encoding.UTF8.GetString(line)}\"");
        }

        return new MemoryMapping(start, end, fileOffset, permissions.Contains((byte)'x'), major << 32 | minor, inode, PathText(path));
    }

    private static bool IsExecutable(ReadOnlySpan<byte> line)
    {
        var permissions = line.IndexOf((byte)' ') + 1;
        return permissions == 0 || permissions + 4 > line.Length || line[permissions + 2] == (byte)'x';
    }

    private static string PathText(ReadOnlySpan<byte> path)
    {
        var text = Encoding.UTF8.GetString(path);
        return text.Contains('\\', StringComparison.Ordinal) ? text.Replace("\\012", "\n", StringComparison.Ordinal) : text;
    }
}
