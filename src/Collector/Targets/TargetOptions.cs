using System.Globalization;
using ActorProfiler.Collector.Sampling;
using ActorProfiler.Labels;

namespace ActorProfiler.Collector.Targets;

/// <summary>How one target is profiled: what its labels <c>__meta_pyroscope_ebpf_options_*</c> say.</summary>
/// <param name="KeepOneIn">Ticks of which one is kept, with that weight.</param>
internal sealed record TargetOptions(uint KeepOneIn, ProcessFlags Flags)
{
    public const string Prefix = "__meta_pyroscope_ebpf_options_";

    public static readonly TargetOptions Default = new(1, ProcessFlags.None);

    private static readonly string[] _known =
        ["collect_kernel", "sample_rate", "tenant", "go_table_fallback", "python_full_file_path", "python_enabled", "python_bpf_debug_log", "python_bpf_error_log", "demangle"];

    /// <summary>Reads the labels of a target.</summary>
    /// <param name="sampleRate">Of the host, in Hz: a target's own rate is a part of it, as near as one tick in N comes.</param>
    public static TargetOptions From(LabelSet discovered, int sampleRate)
    {
        var flags = discovered[Prefix + "collect_kernel"] is { Length: > 0 } kernel && kernel != "true" ? ProcessFlags.NoKernel : ProcessFlags.None;
        var keepOneIn = double.TryParse(discovered[Prefix + "sample_rate"], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var rate) && rate > 0 && rate < sampleRate
            ? (uint)Math.Clamp(Math.Round(sampleRate / rate), 1, 1_000_000)
            : 1;
        return new TargetOptions(keepOneIn, flags);
    }

    /// <summary>What in the labels has no effect, in words; null when all of it has.</summary>
    public static string? Problem(LabelSet discovered)
    {
        foreach (var (name, value) in discovered.Where(pair => pair.Name.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            var option = name[Prefix.Length..];
            if (Array.IndexOf(_known, option) < 0)
            {
                return $"there is no option {name}{Configuration.Syntax.Spelling.DidYouMean(option, _known)}";
            }

            if (option == "sample_rate" && !(double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var rate) && rate > 0))
            {
                return $"{name} should be a number of Hz above 0, got \"{value}\"";
            }

            if (option is not ("collect_kernel" or "sample_rate" or "tenant"))
            {
                return $"{name} has no effect: it holds for all targets of a host";
            }
        }

        return null;
    }
}
