namespace ActorProfiler.Tests;

/// <summary>What a test needs of its machine. A missing thing skips the test with its reason.</summary>
/// <remarks>
/// With <c>ACTORPROFILER_REQUIRE_BPF=1</c>, which CI sets, a missing thing fails the test instead:
/// a skip there would hide that the heart of the product was not tried.
/// </remarks>
internal static class Requirements
{
    /// <summary>Needs the right to load BPF programs: root is taken as the sign of it.</summary>
    public static void Bpf() => Need(Environment.IsPrivilegedProcess, "needs root to load BPF programs (run as root)");

    /// <summary>Needs a program on PATH, named with the Debian package that brings it.</summary>
    public static void Tool(string name, string package) =>
        Need(FindOnPath(name) is not null, $"needs the tool {name} (apt-get install {package})");

    /// <summary>Needs the right to mount file systems: root is taken as the sign of it.</summary>
    public static void Mount()
    {
        Tool("mount", "mount");
        Need(Environment.IsPrivilegedProcess, "needs root to mount a small file system (run as root)");
    }

    /// <summary>Needs control groups of version 2, mounted.</summary>
    /// <returns>Where.</returns>
    public static string CgroupV2()
    {
        var mounted = File.ReadLines("/proc/self/mounts").Select(line => line.Split(' ')).FirstOrDefault(mount => mount[2] == "cgroup2");
        Need(mounted is not null, "needs cgroup v2 mounted (mount -t cgroup2 none /sys/fs/cgroup)");
        return mounted![1];
    }

    /// <summary>Path of a program on PATH, or null.</summary>
    public static string? FindOnPath(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append("/usr/sbin").Append("/sbin")
            .Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    private static void Need(bool met, string reason)
    {
        if (Environment.GetEnvironmentVariable("ACTORPROFILER_REQUIRE_BPF") == "1")
        {
            Assert.True(met, reason);
        }

        Assert.SkipUnless(met, reason);
    }
}
