using System.Globalization;
using ActorProfiler.Collector.Interpreters.Jit;
using ActorProfiler.Collector.Processes;
using ActorProfiler.Collector.Sampling;
using ActorProfiler.Collector.Sampling.Native;

namespace ActorProfiler.Commands.Doctor;

/// <summary>What is looked at on a host. Each check tries the real thing where that is harmless.</summary>
internal static class HostChecks
{
    private static readonly Version _oldestKernel = new(5, 10);

    // capability.h
    private const int DacReadSearch = 2;
    private const int SysPtrace = 19;
    private const int SysAdmin = 21;
    private const int Syslog = 34;
    private const int Perfmon = 38;
    private const int Bpf = 39;

    public static readonly IReadOnlyList<Func<Finding>> All =
        [Kernel, TypeInformation, Capabilities, PerfEventParanoid, Lockdown, KernelSymbolsReadable, LibBpfPresent, Sampling, PidNamespace];

    private static Finding Kernel()
    {
        var release = Read("/proc/sys/kernel/osrelease");
        var numbers = release.Split('.', '-', '+');
        var isNew = numbers.Length > 1 && int.TryParse(numbers[0], out var major) && int.TryParse(numbers[1], out var minor)
            && new Version(major, minor) >= _oldestKernel;
        return isNew
            ? new Finding(Verdict.Good, "kernel", release)
            : new Finding(Verdict.Missing, "kernel", $"{release}, older than {_oldestKernel}", "run a kernel of 5.10 or later: its ring buffer is needed");
    }

    private static Finding TypeInformation() => File.Exists("/sys/kernel/btf/vmlinux")
        ? new Finding(Verdict.Good, "BTF", "/sys/kernel/btf/vmlinux")
        : new Finding(Verdict.Missing, "BTF", "/sys/kernel/btf/vmlinux is missing", "use a kernel built with CONFIG_DEBUG_INFO_BTF=y, as all distributions ship since 2021");

    private static Finding Capabilities()
    {
        var line = File.ReadLines("/proc/self/status").FirstOrDefault(line => line.StartsWith("CapEff:", StringComparison.Ordinal)) ?? "CapEff: 0";
        var held = ulong.Parse(line.AsSpan("CapEff:".Length).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        if (Has(SysAdmin))
        {
            return new Finding(Verdict.Good, "capabilities", "CAP_SYS_ADMIN (root)");
        }

        string[] needed = [.. Missing([("BPF", Bpf), ("PERFMON", Perfmon)])];
        string[] useful = [.. Missing([("SYS_PTRACE", SysPtrace), ("SYSLOG", Syslog), ("DAC_READ_SEARCH", DacReadSearch)])];
        return needed.Length > 0
            ? new Finding(Verdict.Missing, "capabilities", $"lacks CAP_{string.Join(", CAP_", needed)}",
                $"run as root, or grant {string.Join(" ", needed.Concat(useful).Select(name => "CAP_" + name))} (systemd: AmbientCapabilities=)")
            : useful.Length > 0
                ? new Finding(Verdict.Limited, "capabilities", $"lacks CAP_{string.Join(", CAP_", useful)}",
                    "other users' processes or the kernel will have no names: grant them too")
                : new Finding(Verdict.Good, "capabilities", "BPF PERFMON SYS_PTRACE SYSLOG DAC_READ_SEARCH");

        bool Has(int capability) => (held >> capability & 1) == 1;
        IEnumerable<string> Missing((string Name, int Number)[] wanted) => wanted.Where(one => !Has(one.Number)).Select(one => one.Name);
    }

    private static Finding PerfEventParanoid()
    {
        var level = Read("/proc/sys/kernel/perf_event_paranoid");
        return new Finding(Verdict.Good, "perf_event_paranoid", $"{level} (CAP_PERFMON and root pass at any level)");
    }

    private static Finding Lockdown()
    {
        var state = Read("/sys/kernel/security/lockdown");
        return state.Contains("[confidentiality]", StringComparison.Ordinal)
            ? new Finding(Verdict.Missing, "lockdown", "confidentiality: BPF programs may not read memory", "boot with lockdown=integrity or lockdown=none")
            : new Finding(Verdict.Good, "lockdown", state.Length > 0 ? state : "none");
    }

    private static Finding KernelSymbolsReadable()
    {
        const string Path = "/proc/kallsyms";
        var first = File.ReadLines(Path).FirstOrDefault(line => !line.StartsWith("0000000000000000", StringComparison.Ordinal));
        return first is not null
            ? new Finding(Verdict.Good, "kernel symbols", Path)
            : new Finding(Verdict.Limited, "kernel symbols", $"{Path} shows no addresses, so kernel frames have no names", "grant CAP_SYSLOG, or sysctl kernel.kptr_restrict=0 with root");
    }

    private static Finding LibBpfPresent()
    {
        try
        {
            return new Finding(Verdict.Good, "libbpf", BpfObject.LibraryVersion);
        }
        catch (DllNotFoundException)
        {
            return new Finding(Verdict.Missing, "libbpf", "libbpf.so.1 is not installed", "apt-get install libbpf1 (Fedora: dnf install libbpf)");
        }
    }

    /// <summary>The proof: loads the programs and starts the clocks, for a moment.</summary>
    private static Finding Sampling()
    {
        try
        {
            using var files = new ElfFiles();
            using var roots = new ProcessRoots();
            using var session = new SamplingSession(
                new SamplingOptions(), new Record.RecordPolicy(), files, new JitNames([], roots, TimeProvider.System), TimeProvider.System)
            { OnlyEntered = true };
            session.Start();
            return new Finding(Verdict.Good, "sampling", $"programs load and {session.ClockCount} CPU clocks run");
        }
        catch (Exception failure) when (failure is BpfException or DllNotFoundException)
        {
            return new Finding(Verdict.Missing, "sampling", failure.Message, "see the lines above; under a container also allow bpf() and perf_event_open() in its seccomp profile");
        }
    }

    private static Finding PidNamespace()
    {
        const string Host = "pid:[4026531836]";
        var own = File.ResolveLinkTarget("/proc/self/ns/pid", returnFinalTarget: false)?.Name ?? "";
        return own == Host
            ? new Finding(Verdict.Good, "pid namespace", "the host's: every process is seen")
            : new Finding(Verdict.Limited, "pid namespace", "a container's: only its own processes are seen", "run with the host's pid namespace (hostPID: true, docker --pid=host) to profile all");
    }

    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
