using System.Globalization;

namespace ActorProfiler.Tests.Faults;

/// <summary>A control group with bounds of memory and CPU, of version 2 or 1. Disposed when its processes have ended.</summary>
internal sealed class ControlGroup : IDisposable
{
    private const string Root = "/sys/fs/cgroup";

    private readonly string _memory;
    private readonly string _cpu;

    private ControlGroup(string memory, string cpu) => (_memory, _cpu) = (memory, cpu);

    private static bool IsUnified => File.Exists(Path.Combine(Root, "cgroup.controllers"));

    public static ControlGroup Create(int megabytes)
    {
        Assert.SkipUnless(Directory.Exists(Root) && (IsUnified || Directory.Exists(Path.Combine(Root, "memory"))), "needs control groups of memory and CPU");
        var name = $"actorprofiler-{Environment.ProcessId}-{Random.Shared.Next()}";
        if (IsUnified)
        {
            File.WriteAllText(Path.Combine(Root, "cgroup.subtree_control"), "+memory +cpu");
        }

        string[] folders = IsUnified ? [Path.Combine(Root, name), Path.Combine(Root, name)] : [Path.Combine(Root, "memory", name), Path.Combine(Root, "cpu", name)];
        Array.ForEach(folders, folder => Directory.CreateDirectory(folder));
        var group = new ControlGroup(folders[0], folders[1]);
        File.WriteAllText(Path.Combine(group._memory, IsUnified ? "memory.max" : "memory.limit_in_bytes"), ((long)megabytes << 20).ToString(CultureInfo.InvariantCulture));
        return group;
    }

    /// <summary>Command line that starts the rest of it in the group.</summary>
    public string[] Launcher => ["/bin/sh", "-c", $"echo $$ > {_memory}/cgroup.procs && echo $$ > {_cpu}/cgroup.procs && exec \"$@\"", "sh"];

    /// <summary>Bounds the CPU from now on.</summary>
    public void Throttle(int percentOfCore)
    {
        var quota = (percentOfCore * 1000).ToString(CultureInfo.InvariantCulture);
        if (IsUnified)
        {
            File.WriteAllText(Path.Combine(_cpu, "cpu.max"), $"{quota} 100000");
            return;
        }

        File.WriteAllText(Path.Combine(_cpu, "cpu.cfs_period_us"), "100000");
        File.WriteAllText(Path.Combine(_cpu, "cpu.cfs_quota_us"), quota);
    }

    /// <summary>Times it was stopped because it had used up its share: shows that the bound was felt.</summary>
    public long Throttled => File.ReadLines(Path.Combine(_cpu, "cpu.stat")).Where(line => line.StartsWith("nr_throttled ", StringComparison.Ordinal))
        .Select(line => long.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture)).Single();

    public void Dispose()
    {
        foreach (var folder in new[] { _memory, _cpu }.Distinct())
        {
            Directory.Delete(folder);
        }
    }
}
