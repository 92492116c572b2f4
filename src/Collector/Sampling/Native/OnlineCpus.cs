namespace ActorProfiler.Collector.Sampling.Native;

/// <summary>The CPUs that are on, from sysfs: <see cref="Environment.ProcessorCount"/> is cut by cgroup limits.</summary>
internal static class OnlineCpus
{
    public const string Path = "/sys/devices/system/cpu/online";

    public static IReadOnlyList<int> Read() => Parse(File.ReadAllText(Path));

    /// <summary>Parses <c>0-3,5,7-8</c>. Source: Documentation/admin-guide/cputopology.rst.</summary>
    /// <exception cref="FormatException">The text has another form; the message holds it.</exception>
    public static IReadOnlyList<int> Parse(string text)
    {
        var cpus = new List<int>();
        foreach (var range in text.Trim().Split(','))
        {
            var ends = range.Split('-');
            if (ends.Length > 2 || !int.TryParse(ends[0], out var first) || !int.TryParse(ends[^1], out var last) || last < first || last > 65535)
            {
                throw new FormatException($"{Path}: expected a list such as 0-3,5 but it says '{text.Trim()}'");
            }

            cpus.AddRange(Enumerable.Range(first, last - first + 1));
        }

        return cpus;
    }
}
