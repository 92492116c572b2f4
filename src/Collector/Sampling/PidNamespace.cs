namespace ActorProfiler.Collector.Sampling;

/// <summary>Constant <c>pid_namespace</c> of the BPF programs: the namespace whose pids they report.</summary>
internal static class PidNamespace
{
    /// <summary>Inode of the host's: PROC_PID_INIT_INO of linux/proc_ns.h.</summary>
    private const ulong Host = 0xEFFFFFFC;

    /// <summary>The inode of the collector's own, or 0 for the host's.</summary>
    /// <exception cref="FormatException">The link in <c>/proc</c> has another form.</exception>
    public static uint Read()
    {
        const string Prefix = "pid:[";
        var link = File.ResolveLinkTarget("/proc/self/ns/pid", returnFinalTarget: false)?.Name ?? "";
        return link.StartsWith(Prefix, StringComparison.Ordinal) && ulong.TryParse(link.AsSpan(Prefix.Length).TrimEnd(']'), out var inode)
            ? inode == Host ? 0 : (uint)inode
            : throw new FormatException($"/proc/self/ns/pid: expected pid:[number] but it is '{link}'");
    }
}
