using System.CommandLine;
using System.Net;
using ActorProfiler.Telemetry;

namespace ActorProfiler.Commands.Run;

/// <summary><c>actorprofiler run</c>: the service.</summary>
internal static class RunCommand
{
    private static readonly Argument<string?> _config = new("CONFIG")
    {
        Description = "Configuration file; without it every process of this host is profiled and shown on the page",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<Role> _role = new("--role") { Description = "Which part runs here: all, collector or aggregator", DefaultValueFactory = _ => Role.All };
    private static readonly Option<string> _http = new("--http.listen") { Description = "Address of the page, /metrics and health", DefaultValueFactory = _ => "127.0.0.1:4041" };
    private static readonly Option<string> _data = new("--data-dir") { Description = "Where state is kept", DefaultValueFactory = _ => DefaultDataFolder };
    private static readonly Option<LogFormat> _log = new("--log.format") { Description = "human, logfmt or json", DefaultValueFactory = _ => LogWriter.DefaultFormat };

    private static readonly Option<string?> _tls = new("--tls.dir") { Description = "Folder with ca.crt and this node's aggregator.crt and .key or collector.crt and .key, as 'actorprofiler tls init' makes them" };
    private static readonly Option<bool> _plaintext = new("--insecure-plaintext") { Description = "Allow collectors and aggregators to talk over a network without TLS" };

    private static string DefaultDataFolder => Environment.IsPrivilegedProcess
        ? "/var/lib/actorprofiler"
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "actorprofiler");

    public static Command Create()
    {
        var command = new Command("run", "Run the service. Without more it profiles every process of this host and shows the last hour on a page.")
        {
            _config, _role, _http, _data, _log, _tls, _plaintext,
        };
        command.SetAction((parsed, cancellation) => Failures.ReportAsync(async () =>
        {
            if (Read(parsed) is not { } options)
            {
                Console.Error.WriteLine($"actorprofiler: {_http.Name} {parsed.GetValue(_http)}: expected an address and a port such as 127.0.0.1:4041");
                return ExitCode.Usage;
            }

            return await RunHost.RunAsync(options, cancellation);
        }));
        return command;
    }

    /// <summary>Null when the address to listen on is none.</summary>
    private static RunOptions? Read(ParseResult parsed)
    {
        var text = parsed.GetValue(_http)!;
        var spelled = text.StartsWith("localhost:", StringComparison.OrdinalIgnoreCase) ? "127.0.0.1" + text["localhost".Length..] : text;
        return !IPEndPoint.TryParse(spelled, out var address) || !spelled.Contains(':', StringComparison.Ordinal) ? null : new RunOptions
        {
            ConfigPath = parsed.GetValue(_config),
            Role = parsed.GetValue(_role),
            Http = address,
            DataFolder = parsed.GetValue(_data)!,
            LogFormat = parsed.GetValue(_log),
            Tls = parsed.GetValue(_tls) is { } folder ? TlsOf(folder, parsed.GetValue(_role)) : null,
            AllowsPlaintext = parsed.GetValue(_plaintext),
        };
    }

    private static TlsPaths TlsOf(string folder, Role role)
    {
        var name = role == Role.Collector ? "collector" : "aggregator";
        return new TlsPaths(Path.Combine(folder, "ca.crt"), Path.Combine(folder, $"{name}.crt"), Path.Combine(folder, $"{name}.key"));
    }
}
