using System.Net.Sockets;
using ActorProfiler.Collector.Sampling.Native;

namespace ActorProfiler.Commands;

/// <summary>Turns the world's failures into one clear line and exit code 1. Our own bugs pass through.</summary>
internal static class Failures
{
    public static async Task<int> ReportAsync(Func<Task<int>> command)
    {
        try
        {
            return await command();
        }
        catch (Exception failure) when (Describe(failure) is { } line)
        {
            Console.Error.WriteLine($"actorprofiler: {line}");
            return ExitCode.Failure;
        }
    }

    /// <summary>Null for what is no failure of the world.</summary>
    public static string? Describe(Exception failure) => failure switch
    {
        BpfException { IsMissingRight: true } => $"{failure.Message}: profiling needs root, or the capabilities BPF, PERFMON, SYS_PTRACE, SYSLOG and DAC_READ_SEARCH; "
            + "'actorprofiler doctor' says what is missing",
        BpfException => $"{failure.Message}: 'actorprofiler doctor' says what this host lacks",
        DllNotFoundException => $"libbpf.so.1 is missing: install it (Debian: apt-get install libbpf1): {failure.Message}",
        AggregateException many when many.GetBaseException() is not AggregateException and var inner => Describe(inner),
        IOException { InnerException: { } inner } when Describe(inner) is { } line => line,
        SocketException or IOException or UnauthorizedAccessException or FormatException => failure.Message,
        _ => null,
    };
}
