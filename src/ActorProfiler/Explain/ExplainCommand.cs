using System.CommandLine;
using ActorProfiler.Collector.Processes;
using ActorProfiler.Collector.Targets.Discovery;
using ActorProfiler.Commands.Configuration;

namespace ActorProfiler.Commands.Explain;

/// <summary><c>actorprofiler explain</c>: which target a process gets and why, or why none.</summary>
internal static class ExplainCommand
{
    private static readonly Argument<int> _pid = new("PID") { Description = "Process" };
    private static readonly Argument<string?> _config = new("CONFIG") { Description = "Configuration file; without it the embedded default", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Option<TimeSpan> _wait = new("--wait") { Description = "How long each discovery may take to find its targets", DefaultValueFactory = _ => TimeSpan.FromSeconds(10) };

    public static Command Create()
    {
        var command = new Command("explain", "Say which target a process gets and why, or why none.") { _pid, _config, _wait };
        command.SetAction((parsed, cancellation) => Failures.ReportAsync(() => RunAsync(parsed.GetValue(_pid), parsed.GetValue(_config), parsed.GetValue(_wait), cancellation)));
        return command;
    }

    private static async Task<int> RunAsync(int pid, string? path, TimeSpan wait, CancellationToken cancellation)
    {
        if (ConfigurationFile.Load(path, pushes: false, Console.Error) is not { } loaded)
        {
            return ExitCode.Usage;
        }

        if (ProcFiles.StartTime(pid) is null)
        {
            Console.Error.WriteLine($"actorprofiler: there is no process {pid}");
            return ExitCode.Failure;
        }

        foreach (var line in Explanation.Of(pid, await DiscoverAsync(loaded, wait, cancellation)))
        {
            Console.WriteLine(line);
        }

        return ExitCode.Ok;
    }

    /// <summary>Runs each discovery until its first result, those that others build on first.</summary>
    private static async Task<LoadedConfiguration> DiscoverAsync(LoadedConfiguration loaded, TimeSpan wait, CancellationToken cancellation)
    {
        foreach (var id in loaded.Graph.Nodes.Select(node => node.Id))
        {
            if (loaded.Values.Find(id)?.Options is not IDiscovery discovery)
            {
                continue;
            }

            using var timeout = new CancellationTokenSource(wait);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellation, timeout.Token);
            try
            {
                await foreach (var targets in discovery.FindAsync(TimeProvider.System, both.Token))
                {
                    loaded = loaded.Found(id, DiscoveryExports.Of(targets));
                    break;
                }
            }
            catch (Exception cause) when (!cancellation.IsCancellationRequested && cause is not (OutOfMemoryException or NullReferenceException))
            {
                Console.Error.WriteLine($"{id}: {(timeout.IsCancellationRequested ? $"found nothing within {wait.TotalSeconds} s" : cause.Message)}");
            }
        }

        return loaded;
    }
}
