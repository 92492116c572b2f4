using System.Globalization;
using System.Net;
using ActorProfiler.Aggregator;
using ActorProfiler.Aggregator.Destinations;
using ActorProfiler.Aggregator.Ingest;
using ActorProfiler.Aggregator.LocalStore;
using ActorProfiler.Aggregator.Page;
using ActorProfiler.Collector;
using ActorProfiler.Security;
using ActorProfiler.Telemetry;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Prometheus;
using LogLevel = ActorProfiler.Telemetry.LogLevel;

namespace ActorProfiler.Commands.Run;

/// <summary>The service of one process: actor system, collector and aggregator by role, HTTP server. Composition only.</summary>
internal static class RunHost
{
    private static readonly TimeSpan _drainPatience = TimeSpan.FromSeconds(5);

    public static async Task<int> RunAsync(RunOptions options, CancellationToken cancellation)
    {
        var log = new LogWriter(Console.Error, options.LogFormat, TimeProvider.System);
        Metrics.SuppressDefaultMetrics();
        var cluster = ClusterOf(options);
        var tls = options.Tls is { } paths ? new TlsFiles(paths.Ca, paths.Certificate, paths.Key, problem => log.Write(LogLevel.Warning, "main", problem)) : null;
        using var system = CreateActorSystem(options, cluster, tls, log);
        var store = new ProfileStore(ProfileStoreOptions.Default, TimeProvider.System);
        var state = new RunState(options.Role);
        var aggregator = options.RunsAggregator ? await AggregatorSystem.StartAsync(system, AggregatorOptionsOf(options, cluster, store, state)) : null;
        state.Aggregator = aggregator;
        await using var web = CreateWeb(options, tls, state, store);
        await web.StartAsync(cancellation);
        await using var collector = options.RunsCollector ? StartCollector(options, system, tls, state) : null;
        state.Collector = collector;
        if (collector is not null)
        {
            await collector.SamplingAsync();
        }

        Announce(options, log);
        state.IsReady = true;

        await WaitForStopAsync(cancellation);
        state.IsReady = false;
        log.Write(LogLevel.Info, "main", "stopping: the last samples are sent on");
        await StopAsync(collector, aggregator, log);
        await web.StopAsync(CancellationToken.None);
        await CoordinatedShutdown.Get(system).Run(CoordinatedShutdown.ClrExitReason.Instance);
        return ExitCode.Ok;
    }

    private static ActorSystem CreateActorSystem(RunOptions options, ClusterOptions? cluster, TlsFiles? tls, LogWriter log)
    {
        var logging = ConfigurationFactory.ParseString(
            $"""
            akka.loggers = ["{typeof(ActorLogger).FullName}, {typeof(ActorLogger).Assembly.GetName().Name}"]
            akka.stdout-loglevel = OFF
            akka.coordinated-shutdown.run-by-clr-shutdown-hook = off
            akka.loglevel = INFO
            """);
        var setup = BootstrapSetup.Create().WithConfig(logging.WithFallback(AggregatorConfig.For(cluster)));
        var all = ActorSystemSetup.Create(setup, new ActorLogger.WriterSetup(log));
        return ActorSystem.Create(AggregatorConfig.SystemName, cluster is not null && tls is not null ? all.WithSetup(FleetTls.BetweenAggregators(tls)) : all);
    }

    private static ClusterOptions? ClusterOf(RunOptions options)
    {
        if (options.Role != Role.Aggregator || options.ClusterAddress is not { } address)
        {
            return null;
        }

        var colon = address.LastIndexOf(':');
        var port = int.Parse(address.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture);
        return new ClusterOptions(address[..colon], port, options.ClusterSeeds.Count > 0 ? options.ClusterSeeds : [address], options.Tls is not null);
    }

    private static AggregatorOptions AggregatorOptionsOf(RunOptions options, ClusterOptions? cluster, ProfileStore store, RunState state) =>
        new(Path.Combine(options.DataFolder, "aggregator"))
        {
            Window = options.Window,
            Cluster = cluster,
            Health = state.Health,
            Destinations =
            [
                new DestinationSetup(new LocalStoreDestination(store), new DestinationOptions()),
                .. options.Destinations.Select(url => DestinationSetup.Pyroscope(new PyroscopeWriteOptions(url), TimeProvider.System)),
            ],
        };

    private static CollectorSystem StartCollector(RunOptions options, ActorSystem system, TlsFiles? tls, RunState state)
    {
        const long LocalCreditBytes = 16 << 20;
        var metrics = new CollectorMetrics(Metrics.DefaultFactory);
        var collector = CollectorSystem.Start(
            system,
            new CollectorOptions(options.Sampling, options.CollectInterval, ProfileUnmatched: true, Path.Combine(options.DataFolder, "collector")) { Health = state.Health },
            metrics,
            TimeProvider.System);
        Metrics.DefaultRegistry.AddBeforeCollectCallback(() => metrics.OnLedger(collector.Ledger));
        if (state.Aggregator is { } aggregator)
        {
            collector.ConnectTo(aggregator.Ingest, LocalCreditBytes);
        }
        else
        {
            collector.ConnectTo(system, options.Aggregators, tls);
        }

        return collector;
    }

    private static WebApplication CreateWeb(RunOptions options, TlsFiles? tls, RunState state, ProfileStore store)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(options.Http);
            if (options.Role == Role.Aggregator)
            {
                // A collector whose host vanished is noticed after the sum of both.
                kestrel.Limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(5);
                kestrel.Limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(5);
                kestrel.Listen(options.Ingest, listen => FleetTls.Secure(listen, tls));
            }
        });
        builder.Services.AddSingleton(TimeProvider.System);
        if (options.Role == Role.Aggregator)
        {
            builder.Services.AddSingleton(state.Aggregator!.Endpoint);
            builder.Services.AddGrpc();
        }

        var web = builder.Build();
        web.MapWhen(
            context => context.Connection.LocalPort != options.Ingest.Port || options.Role != Role.Aggregator,
            branch => MapHttp(branch, options, state, store));
        if (options.Role == Role.Aggregator)
        {
            web.MapGrpcService<IngestService>();
        }

        return web;
    }

    private static void MapHttp(IApplicationBuilder branch, RunOptions options, RunState state, ProfileStore store)
    {
        branch.UsePageSecurity(new HostAllowList([options.Http.ToString()]));
        branch.UseRouting();
        branch.UseEndpoints(routes =>
        {
            routes.MapMetrics();
            routes.MapHealth(state);
            if (options.RunsAggregator)
            {
                routes.MapPage(store);
            }
        });
    }

    private static void Announce(RunOptions options, LogWriter log)
    {
        log.Write(LogLevel.Info, "main", options.Role switch
        {
            Role.All => $"profiling every process at {options.Sampling.SampleRate} Hz",
            Role.Collector => $"profiling every process at {options.Sampling.SampleRate} Hz for {string.Join(", ", options.Aggregators)}",
            _ => $"aggregating; collectors connect to {options.Ingest}",
        });
        foreach (var url in options.Destinations)
        {
            log.Write(LogLevel.Info, "main", $"pushing profiles to {url.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped)}");
        }

        if (options.RunsAggregator)
        {
            Console.WriteLine($"flame graphs of the last hour: http://{Shown(options.Http)}/");
        }
    }

    private static IPEndPoint Shown(IPEndPoint address) =>
        address.Address.Equals(IPAddress.Any) ? new IPEndPoint(IPAddress.Loopback, address.Port) : address;

    private static async Task WaitForStopAsync(CancellationToken cancellation)
    {
        var stopped = new TaskCompletionSource();
        await using var registration = cancellation.Register(stopped.SetResult);
        await stopped.Task;
    }

    private static async Task StopAsync(CollectorSystem? collector, AggregatorSystem? aggregator, LogWriter log)
    {
        if (collector is not null)
        {
            await collector.StopSamplingAsync();
            if (!await collector.DrainAsync(_drainPatience))
            {
                log.Write(LogLevel.Warning, "main", $"{collector.Ledger.InFlight} ticks were not stored, no aggregator answered: they wait on disk for the next start");
            }

            log.Write(LogLevel.Info, "main", $"collector stopped: {Balance(collector.Ledger, "stored")}");
        }

        if (aggregator is not null)
        {
            await aggregator.StopAsync();
            log.Write(LogLevel.Info, "main", $"aggregator stopped: {Balance(aggregator.Ledgers.Intake, "stored")}");
            foreach (var (destination, ledger) in aggregator.Ledgers.Destinations)
            {
                log.Write(LogLevel.Info, "main", $"{destination}: {Balance(ledger, "delivered")}");
            }
        }
    }

    private static string Balance(LossLedger ledger, string delivered) =>
        $"{ledger.Ticks} ticks = {ledger.Delivered} {delivered} + {ledger.DroppedInAll} dropped + {ledger.InFlight} waiting";
}
