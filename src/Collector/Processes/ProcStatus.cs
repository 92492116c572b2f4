using System.Globalization;
using System.Text;

namespace ActorProfiler.Collector.Processes;

/// <summary>What <c>/proc/PID/status</c> says about a process.</summary>
/// <param name="EffectiveUser">User id whose rights it has.</param>
/// <param name="NamespacePid">Its pid in its own, innermost pid namespace.</param>
internal readonly record struct ProcStatus(uint EffectiveUser, int NamespacePid)
{
    /// <summary>Parses the lines <c>Uid:</c> and <c>NSpid:</c>. Source: proc_pid_status(5).</summary>
    /// <exception cref="FormatException">One of them is missing or has another form.</exception>
    public static ProcStatus Parse(ReadOnlySpan<byte> status)
    {
        uint? user = null;
        int? pid = null;
        foreach (var range in status.Split((byte)'\n'))
        {
            var line = Encoding.UTF8.GetString(status[range]);
            var fields = line.Split('\t', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            if (fields is ["Uid:", _, var effective, ..] && uint.TryParse(effective, NumberStyles.None, CultureInfo.InvariantCulture, out var id))
            {
                user = id;
            }
            else if (fields is ["NSpid:", .., var innermost] && int.TryParse(innermost, NumberStyles.None, CultureInfo.InvariantCulture, out var inner))
            {
                pid = inner;
            }
        }

        return user is { } owner && pid is { } number
            ? new ProcStatus(owner, number)
            : throw new FormatException("expected the lines Uid: and NSpid: in /proc/PID/status");
    }
}
