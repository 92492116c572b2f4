using System.CommandLine;
using System.Net.Http.Json;
using System.Text.Json;

namespace ActorProfiler.Commands.Audit;

/// <summary><c>actorprofiler audit</c>: whether every tick of running instances is accounted for, from the collectors to the destinations.</summary>
internal static class AuditCommand
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);

    private static readonly Argument<string[]> _urls = new("URL")
    {
        Description = "Where an instance's page is; with all collectors and aggregators of a fleet, what passes between them is compared too",
        DefaultValueFactory = _ => ["http://127.0.0.1:4041"],
        Arity = ArgumentArity.OneOrMore,
    };

    public static Command Create()
    {
        var command = new Command("audit", "Print where every tick of running instances went. Exits 1 when some are unaccounted for.") { _urls };
        command.SetAction((parsed, cancellation) => Failures.ReportAsync(async () =>
        {
            var urls = new List<Uri>();
            foreach (var text in parsed.GetValue(_urls)!)
            {
                if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
                {
                    Console.Error.WriteLine($"actorprofiler: {text}: expected a URL such as http://127.0.0.1:4041");
                    return ExitCode.Usage;
                }

                urls.Add(url);
            }

            return await RunAsync(urls, cancellation);
        }));
        return command;
    }

    private static async Task<int> RunAsync(IReadOnlyList<Uri> urls, CancellationToken cancellation)
    {
        using var http = new HttpClient { Timeout = _patience };
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        using var late = new CancellationTokenSource(_patience);
        var path = await ReadAsync(http, urls, cancellation);

        // Ticks on their way from one part to the next are in none: balanced once is balanced.
        while (path.Imbalances().Count > 0 && !late.IsCancellationRequested)
        {
            await timer.WaitForNextTickAsync(cancellation);
            path = await ReadAsync(http, urls, cancellation);
        }

        foreach (var line in path.Lines())
        {
            Console.WriteLine(line);
        }

        var wrong = path.Imbalances();
        Console.WriteLine(wrong.Count == 0 ? "balanced" : $"NOT balanced: {string.Join("; ", wrong)}");
        return wrong.Count == 0 ? ExitCode.Ok : ExitCode.Failure;
    }

    private static async Task<PathReport> ReadAsync(HttpClient http, IReadOnlyList<Uri> urls, CancellationToken cancellation)
    {
        var reports = await Task.WhenAll(urls.Select(url => ReadAsync(http, url, cancellation)));
        return new PathReport([.. urls.Zip(reports, (url, report) => (url.Authority, report))]);
    }

    private static async Task<LedgerReport> ReadAsync(HttpClient http, Uri url, CancellationToken cancellation)
    {
        var address = new Uri(url, "/api/v1/ledger");
        try
        {
            return await http.GetFromJsonAsync(address, LedgerJson.Default.LedgerReport, cancellation)
                ?? throw new IOException($"read {address}: the answer is empty");
        }
        catch (Exception cause) when (cause is HttpRequestException or JsonException or TaskCanceledException)
        {
            throw new IOException($"read {address}: {cause.Message}", cause);
        }
    }
}
