using System.Globalization;

namespace ActorProfiler.Commands.Run;

/// <summary>How many file descriptors this process may open: without one left the runtime itself ends.</summary>
internal static class Descriptors
{
    /// <summary>For the runtime, which keeps every assembly open, for files, destinations and other aggregators.</summary>
    private const int Reserve = 384;

    private const int MostConnections = 50_000;

    /// <summary>Connections that may be open at the same time; more are closed as they come.</summary>
    public static int ForConnections() => Math.Clamp(Limit(File.ReadAllLines("/proc/self/limits")) - Reserve, 32, MostConnections);

    /// <param name="limits">Lines of proc_pid_limits(5).</param>
    internal static int Limit(IEnumerable<string> limits)
    {
        const string Name = "Max open files";
        var soft = limits.FirstOrDefault(line => line.StartsWith(Name, StringComparison.Ordinal))?[Name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0];
        return int.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) ? limit : int.MaxValue;
    }
}
