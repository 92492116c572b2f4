using System.Collections.Immutable;
using System.Globalization;
using ActorProfiler.Collector.Processes;
using ActorProfiler.Configuration.Components;
using ActorProfiler.Configuration.Decoding;
using ActorProfiler.Labels;

namespace ActorProfiler.Collector.Targets.Discovery;

/// <summary><c>discovery.process</c>: every process of the host, joined to the containers other discoveries found.</summary>
internal sealed record ProcessDiscovery : IDiscovery
{
    private const string Exe = "__meta_process_exe";
    private const string Cwd = "__meta_process_cwd";
    private const string CommandLine = "__meta_process_commandline";
    private const string User = "__meta_process_username";
    private const string UserId = "__meta_process_uid";
    private const string CgroupPath = "__meta_process_cgroup_path";

    public static readonly IComponentType Type = DiscoveryExports.Of(new ComponentType<ProcessDiscovery>(
        "discovery.process",
        "Finds the processes of this host. With `join`, gives them the labels of the container they run in.",
        new BlockSchema<ProcessDiscovery>(() => new(), LabelRule.Required)
            .Optional("join", ArgumentTypes.Targets, options => options.Join, (options, value) => options with { Join = value }, "Targets with a container id, whose labels the processes in the container get.")
            .Optional("refresh_interval", DiscoveryExports.Interval, options => options.RefreshInterval, (options, value) => options with { RefreshInterval = value }, "How often processes are listed.")
            .Block("discover_config", DiscoverConfig.Schema, (options, value) => options with { Discover = value }, "Which labels are read.")));

    public ImmutableArray<LabelSet> Join { get; init; } = [];

    public TimeSpan RefreshInterval { get; init; } = TimeSpan.FromSeconds(60);

    public DiscoverConfig Discover { get; init; } = new();

    /// <summary>Labels that cost a read each.</summary>
    internal sealed record DiscoverConfig
    {
        public static readonly BlockSchema<DiscoverConfig> Schema = new BlockSchema<DiscoverConfig>(() => new())
            .Optional("cwd", ArgumentTypes.Bool, options => options.Cwd, (options, value) => options with { Cwd = value }, "`__meta_process_cwd`, the working directory.")
            .Optional("exe", ArgumentTypes.Bool, options => options.Exe, (options, value) => options with { Exe = value }, "`__meta_process_exe`, the path of the program.")
            .Optional("commandline", ArgumentTypes.Bool, options => options.CommandLine, (options, value) => options with { CommandLine = value }, "`__meta_process_commandline`, with blanks between the arguments.")
            .Optional("username", ArgumentTypes.Bool, options => options.UserName, (options, value) => options with { UserName = value }, "`__meta_process_username`.")
            .Optional("uid", ArgumentTypes.Bool, options => options.UserId, (options, value) => options with { UserId = value }, "`__meta_process_uid`.")
            .Optional("cgroup_path", ArgumentTypes.Bool, options => options.CgroupPath, (options, value) => options with { CgroupPath = value }, "`__meta_process_cgroup_path`, the lines of /proc/PID/cgroup with `|` between them.")
            .Optional("container_id", ArgumentTypes.Bool, options => options.ContainerId, (options, value) => options with { ContainerId = value }, "`__container_id__`, which `join` needs.");

        public bool Cwd { get; init; } = true;

        public bool Exe { get; init; } = true;

        public bool CommandLine { get; init; } = true;

        public bool UserName { get; init; } = true;

        public bool UserId { get; init; } = true;

        public bool CgroupPath { get; init; }

        public bool ContainerId { get; init; } = true;
    }

    public IAsyncEnumerable<ImmutableArray<LabelSet>> FindAsync(TimeProvider clock, CancellationToken cancellation) =>
        Polling.EveryAsync(RefreshInterval, _ => Task.FromResult(Joined(Processes(), Join)), clock, cancellation);

    /// <summary>
    /// The targets to join that are no containers, every process (with the labels of its container, which win over its own), and the
    /// containers themselves. Of several with one container id the last counts.
    /// </summary>
    internal static ImmutableArray<LabelSet> Joined(IReadOnlyList<LabelSet> processes, ImmutableArray<LabelSet> join)
    {
        if (join.IsEmpty)
        {
            return [.. processes];
        }

        var containers = new Dictionary<string, LabelSet>(StringComparer.Ordinal);
        var others = new List<LabelSet>();
        foreach (var target in join)
        {
            if (Target.ContainerOf(target) is { Length: > 0 } id)
            {
                containers[id] = target;
            }
            else
            {
                others.Add(target);
            }
        }

        return
        [
            .. others,
            .. processes.Select(process => containers.TryGetValue(process[LabelNames.ContainerId], out var container) ? process.With(container) : process),
            .. containers.Values,
        ];
    }

    /// <summary>The labels of one process; null for one that is gone and for kernel threads.</summary>
    internal LabelSet? Describe(int pid, UserNames users)
    {
        if (ProcFiles.Executable(pid) is not { } exe)
        {
            return null;
        }

        var labels = new List<LabelPair> { new(LabelNames.ProcessPid, pid.ToString(CultureInfo.InvariantCulture)) };
        Add(Discover.Exe, Exe, () => exe);
        Add(Discover.Cwd, Cwd, () => ProcFiles.WorkingDirectory(pid));
        Add(Discover.CommandLine, CommandLine, () => ProcFiles.CommandLine(pid));
        if ((Discover.UserName || Discover.UserId) && ProcFiles.Status(pid) is { } status)
        {
            Add(Discover.UserId, UserId, () => status.EffectiveUser.ToString(CultureInfo.InvariantCulture));
            Add(Discover.UserName, User, () => users.Find(status.EffectiveUser));
        }

        if ((Discover.CgroupPath || Discover.ContainerId) && ProcFiles.Cgroup(pid) is { } cgroups)
        {
            Add(Discover.CgroupPath, CgroupPath, () => cgroups.TrimEnd('\n').Replace('\n', '|'));
            Add(Discover.ContainerId, LabelNames.ContainerId, () => Targets.ContainerId.Find(cgroups));
        }

        return LabelSet.From(labels);

        void Add(bool wanted, string name, Func<string?> read)
        {
            if (wanted && read() is { } value)
            {
                labels.Add(new LabelPair(name, value));
            }
        }
    }

    private List<LabelSet> Processes()
    {
        var users = UserNames.Read();
        var found = new List<LabelSet>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var pid) && Describe(pid, users) is { } labels)
            {
                found.Add(labels);
            }
        }

        return found;
    }
}
