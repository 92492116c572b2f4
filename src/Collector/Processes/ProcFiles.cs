using System.Globalization;
using System.Text;

namespace ActorProfiler.Collector.Processes;

/// <summary>Reads the files of <c>/proc/PID</c>.</summary>
/// <remarks>
/// A process may vanish between any two reads, so everything is null (or empty) for a process that is gone, may not be read, or gives
/// something unreadable. Every read is bounded.
/// </remarks>
internal static class ProcFiles
{
    private const int SmallBytes = 16 << 10;
    private const int CommandLineBytes = 128 << 10;
    private const int MapsBytes = 64 << 20;
    private const int ThreadsTried = 16;

    public static ProcStat? Stat(int pid) => Read($"/proc/{pid}/stat", SmallBytes) is { Length: > 0 } line ? Parsed(() => ProcStat.Parse(line)) : null;

    public static ProcStatus? Status(int pid) => Read($"/proc/{pid}/status", SmallBytes) is { Length: > 0 } text ? Parsed(() => ProcStatus.Parse(text)) : null;

    /// <summary>Nanoseconds since boot at which the process started, rounded down to 10 ms.</summary>
    public static ulong? StartTime(int pid) => Stat(pid)?.StartTicks * ProcStat.NanosecondsPerTick;

    /// <summary>Whether the pid still is the process that was meant, and not a later one with its number.</summary>
    public static bool IsStill(ProcessIdentity process) => Stat(process.Pid)?.StartTicks == process.StartTime / ProcStat.NanosecondsPerTick;

    /// <summary>Whether the process has a handler for a signal.</summary>
    public static bool Catches(int pid, int signal)
    {
        const string Field = "SigCgt:";
        var line = Read($"/proc/{pid}/status", SmallBytes) is { } text
            ? Encoding.UTF8.GetString(text).Split('\n').FirstOrDefault(line => line.StartsWith(Field, StringComparison.Ordinal)) : null;
        return line is not null && ulong.TryParse(line.AsSpan(Field.Length).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var caught)
            && (caught >> (signal - 1) & 1) != 0;
    }

    public static string? Comm(int pid) => Read($"/proc/{pid}/comm", SmallBytes) is { } name ? Encoding.UTF8.GetString(name).TrimEnd('\n') : null;

    /// <summary>The lines of <c>/proc/PID/cgroup</c>, as they are.</summary>
    public static string? Cgroup(int pid) => Read($"/proc/{pid}/cgroup", SmallBytes) is { } text ? Encoding.UTF8.GetString(text) : null;

    /// <summary>The arguments with blanks between them; "" for a kernel thread.</summary>
    public static string? CommandLine(int pid) =>
        Read($"/proc/{pid}/cmdline", CommandLineBytes) is { } line ? Encoding.UTF8.GetString(line).TrimEnd('\0').Replace('\0', ' ') : null;

    /// <summary>Path of the program in the process's own mount namespace; null for kernel threads too.</summary>
    public static string? Executable(int pid) => Link($"/proc/{pid}/exe");

    public static string? WorkingDirectory(int pid) => Link($"/proc/{pid}/cwd");

    private static string? Link(string path)
    {
        try
        {
            return File.ResolveLinkTarget(path, returnFinalTarget: false)?.ToString();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The bytes of <c>/proc/PID/maps</c>; empty for a kernel thread.</summary>
    /// <remarks>When the main thread has exited its own maps are empty while other threads run on: then theirs are read.</remarks>
    public static byte[]? Maps(int pid)
    {
        var maps = Read($"/proc/{pid}/maps", MapsBytes);
        if (maps is not { Length: 0 })
        {
            return maps;
        }

        foreach (var thread in Threads(pid))
        {
            if (Read($"/proc/{pid}/task/{thread}/maps", MapsBytes) is { Length: > 0 } others)
            {
                return others;
            }
        }

        return maps;
    }

    private static List<int> Threads(int pid)
    {
        try
        {
            return [.. Directory.EnumerateDirectories($"/proc/{pid}/task").Take(ThreadsTried)
                .Select(folder => int.Parse(Path.GetFileName(folder), CultureInfo.InvariantCulture)).Where(thread => thread != pid)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static T? Parsed<T>(Func<T> parse) where T : struct
    {
        try
        {
            return parse();
        }
        catch (FormatException)
        {
            return null; // as promised above: a half-written line of a dying process is a process that is gone
        }
    }

    private static byte[]? Read(string path, int limit)
    {
        try
        {
            using var file = File.OpenHandle(path);
            var bytes = new byte[4096];
            var have = 0;
            while (true)
            {
                var read = RandomAccess.Read(file, bytes.AsSpan(have), have);
                have += read;
                if (read == 0)
                {
                    return bytes[..have];
                }

                if (have >= limit)
                {
                    return bytes[..(bytes.AsSpan().LastIndexOf((byte)'\n') + 1)]; // whole lines only
                }

                if (have == bytes.Length)
                {
                    Array.Resize(ref bytes, Math.Min(bytes.Length * 4, limit));
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
