using System.Globalization;
using ActorProfiler.Collector.Sampling;
using ActorProfiler.Configuration.Syntax;
using ActorProfiler.Labels;

namespace ActorProfiler.Collector.Targets;

/// <summary>How one target is profiled: what its labels <c>__meta_pyroscope_ebpf_options_*</c> say.</summary>
/// <param name="KeepOneIn">Ticks of which one is kept, with that weight.</param>
/// <param name="Python">Whether Python's frames are read; null as the block says.</param>
/// <param name="Demangle">How names are shown; "" as the block says.</param>
/// <param name="GoTableFallback">Whether the symbol tables of a Go program are asked for what its own does not name; null as the block says.</param>
internal sealed record TargetOptions(uint KeepOneIn, ProcessFlags Flags, bool? Python = null, string Demangle = "", bool? GoTableFallback = null)
{
    public const string Prefix = "__meta_pyroscope_ebpf_options_";

    public static readonly TargetOptions Default = new(1, ProcessFlags.None);

    private const string CollectKernel = "collect_kernel";
    private const string PythonEnabled = "python_enabled";
    private const string GoFallback = "go_table_fallback";
    private const string DemangleMode = "demangle";
    private const string SampleRate = "sample_rate";

    private static readonly string[] _effective = [CollectKernel, SampleRate, "tenant", PythonEnabled, GoFallback, DemangleMode];

    private static readonly string[] _modes = ["none", "simplified", "templates", "full"];

    /// <summary>Options of the original that change nothing, and why.</summary>
    private static readonly Dictionary<string, string> _idle = new(StringComparer.Ordinal)
    {
        ["python_full_file_path"] = "profiles always have the whole path of a Python function's file",
        ["python_bpf_debug_log"] = "the programs write no log; metrics count what could not be read",
        ["python_bpf_error_log"] = "the programs write no log; metrics count what could not be read",
    };

    /// <summary>Reads the labels of a target.</summary>
    /// <param name="sampleRate">Of the host, in Hz: a target's own rate is a part of it, as near as one tick in N comes.</param>
    /// <param name="defaults">What holds without a label.</param>
    public static TargetOptions From(LabelSet discovered, int sampleRate, TargetDefaults defaults)
    {
        var rate = RateOf(discovered[Prefix + SampleRate]) ?? defaults.SampleRate;
        var keepOneIn = rate > 0 && rate < sampleRate ? (uint)Math.Clamp(Math.Round(sampleRate / rate), 1, 1_000_000) : 1;
        var flags = Flag(discovered, CollectKernel) switch
        {
            true => (defaults.Flags & ~ProcessFlags.NoKernel) | ProcessFlags.Kernel,
            false => defaults.Flags | ProcessFlags.NoKernel,
            null => defaults.Flags,
        };
        var demangle = discovered[Prefix + DemangleMode];
        return new TargetOptions(keepOneIn, flags, Flag(discovered, PythonEnabled) ?? defaults.Python, Array.IndexOf(_modes, demangle) < 0 ? defaults.Demangle : demangle)
        {
            GoTableFallback = Flag(discovered, GoFallback) ?? defaults.GoTableFallback,
        };
    }

    /// <summary>What in the labels has no effect, in words; none when all of it has.</summary>
    public static IEnumerable<string> Problems(LabelSet discovered) =>
        discovered.Where(pair => pair.Name.StartsWith(Prefix, StringComparison.Ordinal)).Select(pair => Problem(pair.Name, pair.Value)).OfType<string>();

    private static string? Problem(string name, string value)
    {
        var option = name[Prefix.Length..];
        return _idle.TryGetValue(option, out var reason) ? $"{name} has no effect: {reason}"
            : Array.IndexOf(_effective, option) < 0 ? $"there is no option {name}{Spelling.DidYouMean(option, _effective.Concat(_idle.Keys))}"
            : option == SampleRate && RateOf(value) is null ? $"{name} should be a number of Hz above 0, got \"{value}\""
            : option == DemangleMode && Array.IndexOf(_modes, value) < 0 ? $"{name} should be one of {string.Join(", ", _modes)}, got \"{value}\""
            : option is CollectKernel or PythonEnabled or GoFallback && value is not ("true" or "false") ? $"{name} should be true or false, got \"{value}\", which counts as false"
            : null;
    }

    /// <summary>Null without the label; all but <c>true</c> is false, as in the original.</summary>
    private static bool? Flag(LabelSet discovered, string option) => discovered[Prefix + option] is { Length: > 0 } text ? text == "true" : null;

    private static double? RateOf(string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var rate) && rate > 0 ? rate : null;
}
