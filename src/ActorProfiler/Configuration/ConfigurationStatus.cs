using System.Collections.Immutable;
using System.Runtime.InteropServices;
using ActorProfiler.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Prometheus;

namespace ActorProfiler.Commands.Configuration;

/// <summary>How the configuration does, for metrics and health checks, and the ways to have it read again.</summary>
internal sealed class ConfigurationStatus
{
    private readonly Gauge _successful;
    private readonly Gauge _loadedAt;
    private readonly Gauge _unhealthy;
    private readonly TimeProvider _clock;
    private readonly Health _health;
    private ImmutableSortedDictionary<string, string> _problems = ImmutableSortedDictionary<string, string>.Empty;
    private ConfigurationReload? _reload;

    /// <summary>Counts as loaded: a process whose first configuration is wrong does not start.</summary>
    public ConfigurationStatus(IMetricFactory metrics, TimeProvider clock, Health health)
    {
        (_clock, _health) = (clock, health);
        _successful = metrics.CreateGauge("actorprofiler_config_last_load_successful", "1 when the configuration that was read last was taken over, 0 when it had errors");
        _loadedAt = metrics.CreateGauge("actorprofiler_config_last_load_success_timestamp_seconds", "When a configuration was taken over last");
        _unhealthy = metrics.CreateGauge("actorprofiler_config_unhealthy_components", "Blocks of the configuration whose last evaluation or search failed");
        OnLoaded(isLoaded: true);
    }

    public void Watch(ConfigurationReload reload) => _reload = reload;

    /// <summary>Takes over which blocks do not do well, and why. For one caller at a time.</summary>
    public void OnHealth(ImmutableSortedDictionary<string, string> problems)
    {
        foreach (var (id, problem) in problems)
        {
            _health.Report(id, problem);
        }

        foreach (var healed in _problems.Keys.Where(id => !problems.ContainsKey(id)))
        {
            _health.Clear(healed);
        }

        _problems = problems;
        _unhealthy.Set(problems.Count);
    }

    /// <summary>Reads the configuration again at each SIGHUP until what comes back is disposed.</summary>
    public PosixSignalRegistration ReloadOnHangup() => PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
    {
        signal.Cancel = true; // it does not end the process
        _ = ReloadAsync();
    });

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/-/reload", async () =>
        {
            var problem = await ReloadAsync().ConfigureAwait(false);
            return problem.Length == 0 ? Results.Text("config reloaded\n") : Results.Text(problem + "\n", statusCode: StatusCodes.Status400BadRequest);
        });
    }

    private async Task<string> ReloadAsync()
    {
        var problem = _reload is null ? "the service is starting" : await _reload.RunAsync().ConfigureAwait(false);
        OnLoaded(problem.Length == 0);
        return problem;
    }

    private void OnLoaded(bool isLoaded)
    {
        _successful.Set(isLoaded ? 1 : 0);
        if (isLoaded)
        {
            _loadedAt.Set(_clock.GetUtcNow().ToUnixTimeSeconds());
        }
    }
}
