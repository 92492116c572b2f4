using System.Text;

namespace ActorProfiler.Collector.Processes;

/// <summary>What <c>/proc/PID/stat</c> says about a process.</summary>
/// <param name="Comm">Name of the main thread, up to 15 bytes of any kind.</param>
/// <param name="State">R, S, D, Z and so on.</param>
/// <param name="StartTicks">Time of start after boot, in ticks of <see cref="ProcStat.NanosecondsPerTick"/>.</param>
internal readonly record struct ProcStat(string Comm, char State, ulong StartTicks)
{
    /// <summary>USER_HZ is 100 on x86-64 and aarch64.</summary>
    public const ulong NanosecondsPerTick = 10_000_000;

    /// <summary>Parses the one line of the file.</summary>
    /// <remarks>The name stands in parentheses and may itself hold parentheses and spaces, so the last ')' ends it. Source: proc_pid_stat(5).</remarks>
    /// <exception cref="FormatException">The line has another form; the message quotes it.</exception>
    public static ProcStat Parse(ReadOnlySpan<byte> line)
    {
        var open = line.IndexOf((byte)'(');
        var close = line.LastIndexOf((byte)')');
        if (open < 0 || close < open || close + 2 >= line.Length)
        {
            throw new FormatException($"expected \"pid (name) state …\" in \"{Encoding.UTF8.GetString(line)}\"");
        }

        var fields = new FieldReader(line[(close + 2)..]);
        var state = fields.Text(' ');
        for (var field = 4; field < 22; field++)
        {
            fields.Text(' ');
        }

        return new ProcStat(Encoding.UTF8.GetString(line[(open + 1)..close]), state.IsEmpty ? '?' : (char)state[0], fields.Decimal(' '));
    }
}
