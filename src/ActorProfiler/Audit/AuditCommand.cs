using System.CommandLine;
using System.Net.Http.Json;
using System.Text.Json;

namespace ActorProfiler.Commands.Audit;

/// <summary><c>actorprofiler audit</c>: whether every tick of a running instance is accounted for.</summary>
internal static class AuditCommand
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);

    private static readonly Argument<string> _url = new("URL")
    {
        Description = "Where the instance's page is",
        DefaultValueFactory = _ => "http://127.0.0.1:4041",
    };

    public static Command Create()
    {
        var command = new Command("audit", "Print where every tick of a running instance went. Exits 1 when some are unaccounted for.") { _url };
        command.SetAction((parsed, cancellation) => Failures.ReportAsync(async () =>
        {
            if (!Uri.TryCreate(parsed.GetValue(_url), UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
            {
                Console.Error.WriteLine($"actorprofiler: {parsed.GetValue(_url)}: expected a URL such as http://127.0.0.1:4041");
                return ExitCode.Usage;
            }

            return await RunAsync(url, cancellation);
        }));
        return command;
    }

    private static async Task<int> RunAsync(Uri url, CancellationToken cancellation)
    {
        using var http = new HttpClient { Timeout = _patience };
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        using var late = new CancellationTokenSource(_patience);
        var report = await ReadAsync(http, url, cancellation);

        // Ticks on their way from one part to the next are in none: balanced once is balanced.
        while (report.Imbalances().Count > 0 && !late.IsCancellationRequested)
        {
            await timer.WaitForNextTickAsync(cancellation);
            report = await ReadAsync(http, url, cancellation);
        }

        foreach (var (name, entry) in report.Entries())
        {
            Console.WriteLine($"{name}: {entry}");
        }

        var wrong = report.Imbalances();
        Console.WriteLine(wrong.Count == 0 ? "balanced" : $"NOT balanced: {string.Join("; ", wrong)}");
        return wrong.Count == 0 ? ExitCode.Ok : ExitCode.Failure;
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
