using System.Collections.Immutable;
using ActorProfiler.Collector.Sampling;
using ActorProfiler.Collector.Symbols;
using ActorProfiler.Collector.Symbols.Demangling;
using ActorProfiler.Collector.Targets;
using ActorProfiler.Configuration.Components;
using ActorProfiler.Configuration.Decoding;
using ActorProfiler.Configuration.Relabeling;
using ActorProfiler.Labels;

namespace ActorProfiler.Commands.Components;

/// <summary><c>pyroscope.ebpf</c>: profiles processes of this host. Names, defaults and the order of arguments are the original's.</summary>
internal sealed record EbpfComponent
{
    private const string MapsGrow = "the maps of the programs are sized by themselves";
    private const int CacheLimit = 1_000_000;

    public static readonly IComponentType Type = new ComponentType<EbpfComponent>(
        "pyroscope.ebpf",
        "Samples the CPU time of processes on this host and forwards their profiles. Several blocks share the host's clocks: they run at the highest rate, of which a block with a lower one keeps a part, are drained at the shortest interval, and get the largest caches.",
        Newer(new BlockSchema<EbpfComponent>(() => new(), LabelRule.Required)
            .Required("forward_to", Receiver.List, (options, value) => options with { ForwardTo = value }, "Receivers of the profiles.")
            .Optional("targets", ArgumentTypes.Targets, options => options.Targets, (options, value) => options with { Targets = value }, "What is profiled: labels that name a process or a container.")
            .Optional("collect_interval", ArgumentTypes.Duration(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10)), options => options.CollectInterval, (options, value) => options with { CollectInterval = value }, "How often samples are drained and sent on.")
            .Optional("sample_rate", ArgumentTypes.Integer(SamplingOptions.LowestRate, SamplingOptions.HighestRate), options => options.SampleRate, (options, value) => options with { SampleRate = value }, "Samples a second on each CPU.")
            .Optional("pid_cache_size", ArgumentTypes.Integer(1, CacheLimit), options => options.Symbols.PidCacheSize, (options, value) => options with { Symbols = options.Symbols with { PidCacheSize = value } }, "Processes whose symbol tables are kept.")
            .Optional("build_id_cache_size", ArgumentTypes.Integer(1, CacheLimit), options => options.Symbols.BuildIdCacheSize, (options, value) => options with { Symbols = options.Symbols with { BuildIdCacheSize = value } }, "Files with a build id whose symbol tables are kept.")
            .Optional("same_file_cache_size", ArgumentTypes.Integer(1, CacheLimit), options => options.Symbols.SameFileCacheSize, (options, value) => options with { Symbols = options.Symbols with { SameFileCacheSize = value } }, "Files without a build id whose symbol tables are kept.")
            .Optional("container_id_cache_size", ArgumentTypes.Integer(1, CacheLimit), options => options.Containers.Size, (options, value) => options with { Containers = options.Containers with { Size = value } }, "Processes whose container is kept.")
            .Optional("cache_rounds", ArgumentTypes.Integer(1, 1000), options => options.Symbols.CacheRounds, (options, value) => options with { Symbols = options.Symbols with { CacheRounds = value }, Containers = options.Containers with { Rounds = value } }, "Collect intervals for which what was used stays, however full a cache is.")
            .Optional("collect_user_profile", ArgumentTypes.Bool, options => options.CollectUser, (options, value) => options with { CollectUser = value }, "Walks user stacks.")
            .Optional("collect_kernel_profile", ArgumentTypes.Bool, options => options.CollectKernel, (options, value) => options with { CollectKernel = value }, "Walks kernel stacks.")
            .Optional("demangle", ArgumentTypes.OneOf("none", "simplified", "templates", "full"), options => Word(options.Symbols.Demangle), (options, value) => options with { Symbols = options.Symbols with { Demangle = Enum.Parse<DemangleMode>(value, ignoreCase: true) } }, "How much of C++ and Rust names is shown.")
            .Optional("python_enabled", ArgumentTypes.Bool, options => options.Python, (options, value) => options with { Python = value }, "Names the functions of Python programs.")
            .Optional("targets_only", ArgumentTypes.Bool, options => options.TargetsOnly, (options, value) => options with { TargetsOnly = value }, "With `false`, processes that no target names are profiled too, each under its systemd unit, container or program.")
            .Optional("default_target", ArgumentTypes.Labels, options => options.DefaultTarget, (options, value) => options with { DefaultTarget = value }, "Labels of the processes that no target names.")));

    public ImmutableArray<Receiver> ForwardTo { get; init; } = [];

    public ImmutableArray<LabelSet> Targets { get; init; } = [];

    public TimeSpan CollectInterval { get; init; } = TimeSpan.FromSeconds(15);

    public int SampleRate { get; init; } = SamplingOptions.DefaultRate;

    public SymbolOptions Symbols { get; init; } = SymbolOptions.Default;

    public ContainerCache.Bounds Containers { get; init; } = ContainerCache.Bounds.Default;

    public bool CollectUser { get; init; } = true;

    public bool CollectKernel { get; init; } = true;

    public bool KernelFrames { get; init; } = true;

    public bool Python { get; init; } = true;

    public bool Dotnet { get; init; } = true;

    public bool Hotspot { get; init; } = true;

    public bool V8 { get; init; } = true;

    public bool TargetsOnly { get; init; } = true;

    public LabelSet DefaultTarget { get; init; } = LabelSet.Empty;

    public SamplingOptions Sampling => new(SampleRate, CollectUser, CollectKernel && KernelFrames, Python: Python, V8: V8, HotSpot: Hotspot);

    /// <summary>Names of the JIT runtimes that are not asked for the names of their code.</summary>
    public IReadOnlyList<string> DisabledRuntimes =>
        [.. new[] { (Name: "dotnet", IsEnabled: Dotnet), (Name: "jvm", IsEnabled: Hotspot) }.Where(runtime => !runtime.IsEnabled).Select(runtime => runtime.Name)];

    /// <summary>What a host does that serves several blocks: what any of them asks for.</summary>
    /// <param name="blocks">At least one.</param>
    public static EbpfComponent Together(IReadOnlyList<EbpfComponent> blocks) => blocks.Count == 1 ? blocks[0] : blocks[0] with
    {
        CollectInterval = blocks.Min(block => block.CollectInterval),
        SampleRate = blocks.Max(block => block.SampleRate),
        Symbols = blocks[0].Symbols with
        {
            PidCacheSize = blocks.Max(block => block.Symbols.PidCacheSize),
            BuildIdCacheSize = blocks.Max(block => block.Symbols.BuildIdCacheSize),
            SameFileCacheSize = blocks.Max(block => block.Symbols.SameFileCacheSize),
            CacheRounds = blocks.Max(block => block.Symbols.CacheRounds),
            GoTableFallback = blocks.Any(block => block.Symbols.GoTableFallback),
        },
        Containers = new(blocks.Max(block => block.Containers.Size), blocks.Max(block => block.Containers.Rounds)),
        CollectUser = blocks.Any(block => block.CollectUser),
        CollectKernel = blocks.Any(block => block.Sampling.CollectKernel),
        KernelFrames = true,
        Python = blocks.Any(block => block.Python),
        Dotnet = blocks.Any(block => block.Dotnet),
        Hotspot = blocks.Any(block => block.Hotspot),
        V8 = blocks.Any(block => block.V8),
        TargetsOnly = blocks.All(block => block.TargetsOnly),
    };

    /// <summary>What this block profiles, its options as they differ from those of the host.</summary>
    /// <param name="host">As <see cref="Together"/> gives it.</param>
    /// <param name="rules">Applied to all its series.</param>
    public TargetList TargetsIn(EbpfComponent host, ImmutableArray<RelabelRule> rules) => new(Targets, !TargetsOnly, DefaultTarget, rules)
    {
        Defaults = ReferenceEquals(host, this) ? TargetDefaults.AsHost : new TargetDefaults(
            SampleRate,
            (CollectUser ? ProcessFlags.None : ProcessFlags.NoUser) | (Sampling.CollectKernel ? ProcessFlags.None : ProcessFlags.NoKernel),
            Python == host.Python ? null : Python,
            Symbols.Demangle == host.Symbols.Demangle ? "" : Word(Symbols.Demangle),
            Symbols.GoTableFallback == host.Symbols.GoTableFallback ? null : Symbols.GoTableFallback),
    };

    /// <summary>Names that came later.</summary>
    private static BlockSchema<EbpfComponent> Newer(BlockSchema<EbpfComponent> schema) => schema
        .Optional("kernel_frames", ArgumentTypes.Bool, options => options.KernelFrames, (options, value) => options with { KernelFrames = value }, "The newer name of `collect_kernel_profile`; either turns kernel stacks off.")
        .Optional("dotnet_enabled", ArgumentTypes.Bool, options => options.Dotnet, (options, value) => options with { Dotnet = value }, "Asks .NET programs for the names of their methods.")
        .Optional("go_table_fallback", ArgumentTypes.Bool, options => options.Symbols.GoTableFallback, (options, value) => options with { Symbols = options.Symbols with { GoTableFallback = value } }, "Asks the symbol tables of a Go program for what Go's own table does not name: the C code in it. With `false` they are not read.")
        .Optional("hotspot_enabled", ArgumentTypes.Bool, options => options.Hotspot, (options, value) => options with { Hotspot = value }, "Names the methods of Java programs.")
        .Optional("v8_enabled", ArgumentTypes.Bool, options => options.V8, (options, value) => options with { V8 = value }, "Names the functions of Node.js programs.")
        .Ignored("symbols_map_size", ArgumentTypes.Integer(1), MapsGrow)
        .Ignored("pid_map_size", ArgumentTypes.Integer(1), MapsGrow)
        .Ignored("go_enabled", ArgumentTypes.Bool, "Go functions are always named")
        .Ignored("perl_enabled", ArgumentTypes.Bool, "Perl stacks are not read")
        .Ignored("php_enabled", ArgumentTypes.Bool, "PHP stacks are not read")
        .Ignored("ruby_enabled", ArgumentTypes.Bool, "Ruby stacks are not read")
        .Ignored("off_cpu_threshold", ArgumentTypes.Float(0, 1), "off-CPU time is not profiled")
        .Ignored("bpf_fs_root", ArgumentTypes.Text, "nothing is pinned")
        .Ignored("obi_process_context_enabled", ArgumentTypes.Bool, "traces are not correlated")
        .Ignored("load_probe", ArgumentTypes.Bool, "there are no probes")
        .Ignored("probe_links", ArgumentTypes.List(ArgumentTypes.Text), "there are no probes")
        .Ignored("u_probe_links", ArgumentTypes.List(ArgumentTypes.Text), "there are no probes")
        .Ignored("verbose_mode", ArgumentTypes.Bool, "the log says what it has to")
        .Ignored("lazy_mode", ArgumentTypes.Bool, "without targets the programs drop every tick at once")
        .Ignored("no_kernel_version_check", ArgumentTypes.Bool, "the kernel is asked for what is needed, not for its version")
        .Ignored("comm", ArgumentTypes.OneOf("none", "label", "stackframe", "both"), "thread names are no frames")
        .Ignored("pid_label", ArgumentTypes.Bool, "processes of a target are merged")
        .Ignored("symb_cache_path", ArgumentTypes.Text, "symbol tables are not written to disk")
        .Ignored("symb_cache_size", ArgumentTypes.Integer(), "symbol tables are not written to disk")
        .Ignored("reporter_unsymbolized_stubs", ArgumentTypes.Bool, "frames without a name are always shown as module+0xoffset")
        .Block("debug_info", new BlockSchema<bool>(() => true)
            .Ignored("on_target_symbolization", ArgumentTypes.Bool, "frames are always named on the host")
            .Ignored("upload", ArgumentTypes.Bool, "debug files are not uploaded")
            .Ignored("cache_size", ArgumentTypes.Integer(), "debug files are not uploaded")
            .Ignored("strip_text_section", ArgumentTypes.Bool, "debug files are not uploaded")
            .Ignored("queue_size", ArgumentTypes.Integer(), "debug files are not uploaded")
            .Ignored("worker_num", ArgumentTypes.Integer(), "debug files are not uploaded"), (options, _) => options, "Accepted; nothing is uploaded.");

    private static string Word(DemangleMode mode) => mode.ToString().ToLowerInvariant();
}
