using System.CommandLine;
using ActorProfiler.Collector.Sampling;
using ActorProfiler.Configuration.Decoding;

namespace ActorProfiler.Commands.Record;

/// <summary><c>actorprofiler record</c>: profiles for some seconds and writes files, without a server.</summary>
internal static class RecordCommand
{
    public static Command Create()
    {
        var duration = new Option<string>("--duration", "-d") { Description = "How long, such as 10s or 2m", DefaultValueFactory = _ => "10s" };
        var pids = new Option<int[]>("--pid", "-p") { Description = "Profile only this process; may be given several times", AllowMultipleArgumentsPerToken = true };
        var rate = new Option<int>("--rate", "-F") { Description = "Samples per second and CPU, 1 to 10000", DefaultValueFactory = _ => 97 };
        var output = new Option<FileInfo?>("--output", "-o") { Description = "Write the profile here as pprof (.pb.gz); profile.pb.gz when neither -o nor --html is given" };
        var html = new Option<FileInfo?>("--html") { Description = "Write a flame graph here as a single HTML file" };
        var noKernel = new Option<bool>("--no-kernel") { Description = "Leave kernel stacks out" };
        var kernelThreads = new Option<bool>("--kernel-threads") { Description = "Profile kernel threads too" };

        var command = new Command("record", "Profile for some seconds and write a pprof file and a flame graph, without a server.")
        {
            duration, pids, rate, output, html, noKernel, kernelThreads,
        };
        command.SetAction((parsed, cancellation) => Failures.ReportAsync(async () =>
        {
            if (LengthOf(parsed.GetValue(duration)!) is not { } length)
            {
                return Usage($"--duration {parsed.GetValue(duration)}: expected a positive duration such as 10s or 2m");
            }

            var hertz = parsed.GetValue(rate);
            if (hertz is < SamplingOptions.LowestRate or > SamplingOptions.HighestRate)
            {
                return Usage($"--rate {hertz}: expected {SamplingOptions.LowestRate} to {SamplingOptions.HighestRate} Hz");
            }

            var isDefault = parsed.GetValue(output) is null && parsed.GetValue(html) is null;
            await using var recording = new Recording(new RecordOptions(
                length,
                parsed.GetValue(pids) ?? [],
                new SamplingOptions(hertz, CollectKernel: !parsed.GetValue(noKernel), KernelThreads: parsed.GetValue(kernelThreads)),
                isDefault ? new FileInfo("profile.pb.gz") : parsed.GetValue(output),
                parsed.GetValue(html)));
            return await recording.RunAsync(cancellation);
        }));
        return command;
    }

    private static TimeSpan? LengthOf(string text)
    {
        try
        {
            return GoDuration.Parse(text) is var length && length > TimeSpan.Zero ? length : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static int Usage(string message)
    {
        Console.Error.WriteLine($"actorprofiler: {message}");
        return ExitCode.Usage;
    }
}
