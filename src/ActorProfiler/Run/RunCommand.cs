using System.CommandLine;
using System.Globalization;
using System.Net;
using ActorProfiler.Collector.Sampling;
using ActorProfiler.Configuration;
using ActorProfiler.Telemetry;

namespace ActorProfiler.Commands.Run;

/// <summary><c>actorprofiler run</c>: the service.</summary>
internal static class RunCommand
{
    private static readonly Option<Role> _role = new("--role") { Description = "Which part runs here: all, collector or aggregator", DefaultValueFactory = _ => Role.All };
    private static readonly Option<string> _http = new("--http.listen") { Description = "Address of the page, /metrics and health", DefaultValueFactory = _ => "127.0.0.1:4041" };
    private static readonly Option<string> _data = new("--data-dir") { Description = "Where state is kept", DefaultValueFactory = _ => DefaultDataFolder };
    private static readonly Option<LogFormat> _log = new("--log.format") { Description = "human, logfmt or json", DefaultValueFactory = _ => LogWriter.DefaultFormat };
    private static readonly Option<int> _rate = new("--sample-rate") { Description = "Samples per second and CPU, 1 to 10000", DefaultValueFactory = _ => 97 };
    private static readonly Option<string> _interval = new("--collect-interval") { Description = "How often samples are sent on", DefaultValueFactory = _ => "15s" };
    private static readonly Option<string> _window = new("--window") { Description = "How long samples of a series are merged into one profile", DefaultValueFactory = _ => "15s" };
    private static readonly Option<string[]> _aggregators = new("--aggregator") { Description = "Collector role: URL of an aggregator, such as http://10.0.0.2:4053; several fail over" };
    private static readonly Option<string> _ingest = new("--ingest.listen") { Description = "Aggregator role: where collectors connect", DefaultValueFactory = _ => "127.0.0.1:4053" };
    private static readonly Option<string?> _cluster = new("--cluster.address") { Description = "Aggregator role: host:port other aggregators reach this one by; without it, it runs alone" };
    private static readonly Option<string[]> _seeds = new("--cluster.seed") { Description = "Aggregator role: host:port of each aggregator, in the same order on all" };
    private static readonly Option<string[]> _destinations = new("--destination") { Description = "URL of a Pyroscope server to push to; several get every profile" };

    private static readonly Option<string?> _tls = new("--tls.dir") { Description = "Folder with ca.crt and this node's aggregator.crt and .key or collector.crt and .key, as 'actorprofiler tls init' makes them" };
    private static readonly Option<bool> _plaintext = new("--insecure-plaintext") { Description = "Allow collectors and aggregators to talk over a network without TLS" };

    private static string DefaultDataFolder => Environment.IsPrivilegedProcess
        ? "/var/lib/actorprofiler"
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "actorprofiler");

    public static Command Create()
    {
        var command = new Command("run", "Run the service. Without more it profiles every process of this host and shows the last hour on a page.")
        {
            _role, _http, _data, _log, _rate, _interval, _window, _aggregators, _ingest, _cluster, _seeds, _destinations, _tls, _plaintext,
        };
        command.SetAction((parsed, cancellation) => Failures.ReportAsync(async () =>
        {
            var options = Read(parsed, out var error);
            if (options is null)
            {
                Console.Error.WriteLine($"actorprofiler: {error}");
                return ExitCode.Usage;
            }

            return await RunHost.RunAsync(options, cancellation);
        }));
        return command;
    }

    /// <summary>Null, with what is wrong, when a value is out of its range.</summary>
    private static RunOptions? Read(ParseResult parsed, out string error)
    {
        var role = parsed.GetValue(_role);
        var rate = parsed.GetValue(_rate);
        var problems = new List<string>();
        var aggregators = Urls(parsed, _aggregators, problems);
        var destinations = Urls(parsed, _destinations, problems);
        var http = Address(parsed, _http, problems);
        var ingest = Address(parsed, _ingest, problems);
        var interval = Length(parsed, _interval, problems);
        var window = Length(parsed, _window, problems);
        Check(rate is >= SamplingOptions.LowestRate and <= SamplingOptions.HighestRate, $"--sample-rate {rate}: expected {SamplingOptions.LowestRate} to {SamplingOptions.HighestRate} Hz");
        Check(role != Role.Collector || aggregators.Count > 0, "--role collector needs at least one --aggregator URL");
        foreach (var (option, text) in HostPorts(parsed))
        {
            Check(IsHostPort(text), $"{option} {text}: expected host:port");
        }

        Check(
            parsed.GetValue(_tls) is not null || parsed.GetValue(_plaintext) || !LeavesHost(parsed, role, ingest, aggregators),
            "collectors and aggregators talk over a network here: give --tls.dir ('actorprofiler tls init' makes it), or allow --insecure-plaintext");
        Check(
            role != Role.Collector || aggregators.All(url => url.Scheme == (parsed.GetValue(_tls) is null ? "http" : "https")),
            "--aggregator: expected https:// with --tls.dir, http:// without");

        error = problems.FirstOrDefault() ?? "";
        return problems.Count > 0 ? null : new RunOptions
        {
            Role = role,
            Http = http,
            DataFolder = parsed.GetValue(_data)!,
            LogFormat = parsed.GetValue(_log),
            Sampling = new SamplingOptions(rate),
            CollectInterval = interval,
            Window = window,
            Aggregators = aggregators,
            Ingest = ingest,
            ClusterAddress = parsed.GetValue(_cluster),
            ClusterSeeds = parsed.GetValue(_seeds) ?? [],
            Destinations = destinations,
            Tls = parsed.GetValue(_tls) is { } folder ? TlsOf(folder, role) : null,
        };

        void Check(bool holds, string problem)
        {
            if (!holds)
            {
                problems.Add(problem);
            }
        }
    }

    private static IPEndPoint Address(ParseResult parsed, Option<string> option, List<string> problems)
    {
        var text = parsed.GetValue(option)!;
        var spelled = text.StartsWith("localhost:", StringComparison.OrdinalIgnoreCase) ? "127.0.0.1" + text["localhost".Length..] : text;
        if (IPEndPoint.TryParse(spelled, out var address) && spelled.Contains(':', StringComparison.Ordinal))
        {
            return address;
        }

        problems.Add($"{option.Name} {text}: expected an address and a port such as 127.0.0.1:4041");
        return new IPEndPoint(IPAddress.None, 0);
    }

    private static TlsPaths TlsOf(string folder, Role role)
    {
        var name = role == Role.Collector ? "collector" : "aggregator";
        return new TlsPaths(Path.Combine(folder, "ca.crt"), Path.Combine(folder, $"{name}.crt"), Path.Combine(folder, $"{name}.key"));
    }

    private static bool LeavesHost(ParseResult parsed, Role role, IPEndPoint ingest, List<Uri> aggregators) => role switch
    {
        Role.Collector => aggregators.Any(url => !url.IsLoopback),
        Role.Aggregator => !IPAddress.IsLoopback(ingest.Address)
            || HostPorts(parsed).Any(node => !(Uri.TryCreate($"tcp://{node.Text}", UriKind.Absolute, out var url) && url.IsLoopback)),
        _ => false,
    };

    private static IEnumerable<(string Option, string Text)> HostPorts(ParseResult parsed) =>
        [
            .. parsed.GetValue(_cluster) is { } address ? [(_cluster.Name, address)] : Array.Empty<(string, string)>(),
            .. (parsed.GetValue(_seeds) ?? []).Select(seed => (_seeds.Name, seed)),
        ];

    private static bool IsHostPort(string text) =>
        text.LastIndexOf(':') is > 0 and var colon && ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out _);

    private static List<Uri> Urls(ParseResult parsed, Option<string[]> option, List<string> problems)
    {
        var urls = new List<Uri>();
        foreach (var text in parsed.GetValue(option) ?? [])
        {
            if (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https")
            {
                urls.Add(url);
            }
            else
            {
                problems.Add($"{option.Name} {text}: expected a URL such as http://host:4053");
            }
        }

        return urls;
    }

    private static TimeSpan Length(ParseResult parsed, Option<string> option, List<string> problems)
    {
        if (Duration.TryParse(parsed.GetValue(option)!, out var length) && length >= TimeSpan.FromSeconds(1) && length <= TimeSpan.FromMinutes(10))
        {
            return length;
        }

        problems.Add($"{option.Name} {parsed.GetValue(option)}: expected a duration from 1s to 10m");
        return default;
    }
}
