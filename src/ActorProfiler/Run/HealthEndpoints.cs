using ActorProfiler.Aggregator;
using ActorProfiler.Collector;
using ActorProfiler.Commands.Audit;
using ActorProfiler.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace ActorProfiler.Commands.Run;

/// <summary>What the process says of itself over HTTP.</summary>
internal static class HealthEndpoints
{
    public static void MapHealth(this IEndpointRouteBuilder routes, RunState state)
    {
        routes.MapGet("/-/live", () => Results.Text("ActorProfiler is live.\n"));
        routes.MapGet("/-/ready", () => state.IsReady
            ? Results.Text("ActorProfiler is ready.\n")
            : Results.Text("ActorProfiler is starting or stopping.\n", statusCode: StatusCodes.Status503ServiceUnavailable));
        routes.MapGet("/-/healthy", () => state.Health.Problems is { Count: > 0 } problems
            ? Results.Text(string.Concat(problems.Select(problem => problem + "\n")), statusCode: StatusCodes.Status503ServiceUnavailable)
            : Results.Text("ActorProfiler is healthy.\n"));
        routes.MapGet("/api/v1/ledger", () => Results.Json(Report(state), LedgerJson.Default.LedgerReport));
    }

    private static LedgerReport Report(RunState state) => new(
        state.Role.ToString().ToLowerInvariant(),
        state.StartedAt.ToUnixTimeMilliseconds(),
        state.Collector is { } collector ? LedgerEntry.Of("stored", collector.Ledger) : null,
        state.Aggregator is { } aggregator ? LedgerEntry.Of("stored", aggregator.Ledgers.Intake) : null,
        state.Aggregator?.Ledgers.Destinations.ToDictionary(pair => pair.Key, pair => LedgerEntry.Of("delivered", pair.Value), StringComparer.Ordinal) ?? []);
}

/// <summary>The parts of a running process. Written by <see cref="RunHost"/>, read by requests.</summary>
internal sealed class RunState(Role role)
{
    private volatile bool _isReady;
    private volatile CollectorSystem? _collector;
    private volatile AggregatorSystem? _aggregator;

    public Role Role => role;

    public DateTimeOffset StartedAt { get; } = TimeProvider.System.GetUtcNow();

    public Health Health { get; } = new();

    /// <summary>Between the end of the start and the begin of the stop.</summary>
    public bool IsReady
    {
        get => _isReady;
        set => _isReady = value;
    }

    public CollectorSystem? Collector
    {
        get => _collector;
        set => _collector = value;
    }

    public AggregatorSystem? Aggregator
    {
        get => _aggregator;
        set => _aggregator = value;
    }
}
