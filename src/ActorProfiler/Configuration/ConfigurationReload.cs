using ActorProfiler.Configuration.Syntax;
using ActorProfiler.Telemetry;
using Akka.Actor;

namespace ActorProfiler.Commands.Configuration;

/// <summary>Reads the configuration file again and has it taken over.</summary>
internal sealed class ConfigurationReload(string? path, IActorRef configuration, LogWriter log)
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    /// <returns>"" when it was taken over, else what is wrong with it; then the last good one stays.</returns>
    public async Task<string> RunAsync()
    {
        var problem = await TryAsync().ConfigureAwait(false);
        log.Write(
            problem.Length == 0 ? LogLevel.Info : LogLevel.Error,
            "configuration",
            problem.Length == 0 ? "config reloaded" : $"the new configuration has errors, the last good one stays: {problem}");
        return problem;
    }

    private async Task<string> TryAsync()
    {
        try
        {
            var file = LoadedConfiguration.Read(path);

            // Ask: a signal or a web request is outside of any actor.
            var answer = await configuration.Ask<ConfigurationActor.Reloaded>(new ConfigurationActor.Reload(file), _patience).ConfigureAwait(false);
            foreach (var warning in answer.Problems.Where(problem => answer.IsLoaded && problem.Severity == Severity.Warning))
            {
                log.Write(LogLevel.Warning, "configuration", warning.ToString());
            }

            return answer.IsLoaded ? "" : string.Join("\n", answer.Problems.Where(problem => problem.Severity == Severity.Error));
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException or FormatException or AskTimeoutException)
        {
            return $"read the configuration: {cause.Message}";
        }
    }
}
