using System.CommandLine;
using ActorProfiler.Commands.Configuration;

namespace ActorProfiler.Commands.Validate;

/// <summary><c>actorprofiler validate</c>: what is wrong with a configuration, all of it.</summary>
internal static class ValidateCommand
{
    private static readonly Argument<string> _config = new("CONFIG") { Description = "Configuration file" };
    private static readonly Option<bool> _probe = new("--probe") { Description = "Also push an empty request to each endpoint: name, connection, TLS, credentials" };
    private static readonly Option<bool> _withoutSecrets = new("--without-secrets") { Description = "Accept that secrets and their files are not on this host" };

    public static Command Create()
    {
        var command = new Command("validate", "Check a configuration file.") { _config, _probe, _withoutSecrets };
        command.SetAction((parsed, cancellation) => Failures.ReportAsync(async () =>
        {
            var path = parsed.GetValue(_config)!;
            if (ConfigurationFile.Load(path, pushes: !parsed.GetValue(_withoutSecrets), Console.Error) is not { } loaded)
            {
                return ExitCode.Usage;
            }

            if (parsed.GetValue(_probe) && !await EndpointProbe.RunAsync(loaded.Plan.Destinations, Console.Out, cancellation))
            {
                return ExitCode.Failure;
            }

            Console.WriteLine($"{path}: {loaded.Values.States.Length} blocks, no errors");
            return ExitCode.Ok;
        }));
        return command;
    }
}
