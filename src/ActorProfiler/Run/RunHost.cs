using System.Globalization;
using System.Net;
using ActorProfiler.Aggregator;
using ActorProfiler.Aggregator.Destinations;
using ActorProfiler.Aggregator.Ingest;
using ActorProfiler.Aggregator.LocalStore;
using ActorProfiler.Aggregator.Page;
using ActorProfiler.Aggregator.Peers;
using ActorProfiler.Collector;
using ActorProfiler.Commands.Components;
using ActorProfiler.Commands.Configuration;
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
        if (ConfigurationFile.Load(options.ConfigPath, options.RunsAggregator, Console.Error) is not { } loaded)
        {
            return ExitCode.Usage;
        }

        var plan = loaded.Plan;
        if (plan.Cluster.Problem(options.Role, options.Tls is not null, options.AllowsPlaintext) is { } problem)
        {
            Console.Error.WriteLine($"actorprofiler: {loaded.Graph.File.Name}: {problem}");
            return ExitCode.Usage;
        }

        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable("HOME")))
        {
            // Without one, and as a user that /etc/passwd does not know, the runtime fails every TLS handshake: it looks for certificates there.
            Environment.SetEnvironmentVariable("HOME", options.DataFolder);
        }

        Metrics.SuppressDefaultMetrics();
        var cluster = ClusterOf(options, plan.Cluster);
        var tls = TlsOf(options, plan.Cluster, log);
        using var system = CreateActorSystem(options, cluster, tls, log);
        var store = new ProfileStore(ProfileStoreOptions.Default, TimeProvider.System);
        var state = new RunState(options.Role);
        DestinationSetup[] always = [new(new LocalStoreDestination(store), new DestinationOptions())];
        var setups = options.RunsAggregator ? RunningSystems.Setups(plan) : [];
        var aggregator = options.RunsAggregator
            ? await AggregatorSystem.StartAsync(system, new AggregatorOptions(Path.Combine(options.DataFolder, "aggregator"))
            {
                Window = plan.Window,
                Cluster = cluster,
                Quota = plan.Cluster.Quotas,
                Health = state.Health,
                Destinations = [.. always, .. setups],
            })
            : null;
        state.Aggregator = aggregator;
        var status = new ConfigurationStatus(Metrics.DefaultFactory, TimeProvider.System, state.Health);
        await using var web = RunWeb.Create(options, plan.Cluster.Listen, tls, state, store, status);
        await web.StartAsync(cancellation);
        await using var collector = options.RunsCollector ? StartCollector(options, plan, system, tls, state) : null;
        state.Collector = collector;
        var running = new RunningSystems(collector, aggregator, always, plan, setups, tls is not null, log);
        var configuration = system.ActorOf(
            ConfigurationActor.Props(loaded, new ConfigurationOptions(options.RunsCollector, options.RunsAggregator, running.Apply, status.OnHealth, TimeProvider.System)), "configuration");
        status.Watch(new ConfigurationReload(options.ConfigPath, configuration, log));
        using var hangup = status.ReloadOnHangup();
        if (collector is not null)
        {
            await collector.SamplingAsync();
        }

        Announce(options, plan, log);
        state.IsReady = true;

        var isAsked = await WaitForStopAsync(system, cancellation);
        state.IsReady = false;
        log.Write(isAsked ? LogLevel.Info : LogLevel.Error, "main", isAsked
            ? "stopping: the last samples are sent on"
            : "the cluster has removed this aggregator, or its actors have ended: stopping, so that the service manager starts it anew; what it stored stays in its outbox");
        await StopAsync(collector, aggregator, log);
        await web.StopAsync(CancellationToken.None);
        await CoordinatedShutdown.Get(system).Run(CoordinatedShutdown.ClrExitReason.Instance);
        return isAsked ? ExitCode.Ok : ExitCode.Failure;
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
        return ActorSystem.Create(AggregatorConfig.SystemName, cluster is not null && tls is not null ? all.WithSetup(new PeerTls(tls)) : all);
    }

    private static TlsFiles? TlsOf(RunOptions options, ClusterComponent cluster, LogWriter log) =>
        options.Tls is { } paths ? new TlsFiles(paths.Ca, paths.Certificate, paths.Key, Warn(log))
        : cluster.Tls is { } files ? new TlsFiles(files.Ca, files.Certificate, files.Key, Warn(log)) { ServerName = files.ServerName }
        : null;

    private static Action<string> Warn(LogWriter log) => warning => log.Write(LogLevel.Warning, "main", warning);

    private static ClusterOptions? ClusterOf(RunOptions options, ClusterComponent cluster)
    {
        if (options.Role != Role.Aggregator || cluster.Address is not { } address)
        {
            return null;
        }

        var colon = address.LastIndexOf(':');
        var port = int.Parse(address.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture);
        return cluster.SearchesPeers
            ? new ClusterOptions(address[..colon], port, []) { Search = new PeerSearch(cluster.PeersExpected, cluster.PeerSources) }
            : new ClusterOptions(address[..colon], port, cluster.Seeds.IsEmpty ? [address] : cluster.Seeds);
    }

    private static CollectorSystem StartCollector(RunOptions options, RunPlan plan, ActorSystem system, TlsFiles? tls, RunState state)
    {
        const long LocalCreditBytes = 16 << 20;
        var metrics = new CollectorMetrics(Metrics.DefaultFactory);
        var ebpf = plan.Ebpf ?? new EbpfComponent();
        var collector = CollectorSystem.Start(
            system,
            new CollectorOptions(ebpf.Sampling, ebpf.CollectInterval, Path.Combine(options.DataFolder, "collector"))
            {
                DisabledRuntimes = ebpf.DisabledRuntimes,
                Health = state.Health,
            },
            metrics,
            TimeProvider.System);
        collector.Configure(ebpf.Sampling, ebpf.CollectInterval, ebpf.Symbols, ebpf.Containers, ebpf.DisabledRuntimes);
        Metrics.DefaultRegistry.AddBeforeCollectCallback(() => metrics.OnLedger(collector.Ledger));
        if (state.Aggregator is { } aggregator)
        {
            collector.ConnectTo(aggregator.Ingest, LocalCreditBytes);
        }
        else
        {
            collector.ConnectTo(system, plan.Cluster.Urls(tls is not null), tls);
        }

        return collector;
    }

    private static void Announce(RunOptions options, RunPlan plan, LogWriter log)
    {
        var sampling = plan.Ebpf is { } ebpf
            ? $"profiling {(ebpf.TargetsOnly ? "the targets" : "every process")} at {ebpf.SampleRate} Hz"
            : "profiling nothing: the configuration has no pyroscope.ebpf block";
        log.Write(LogLevel.Info, "main", options.Role switch
        {
            Role.All => sampling,
            Role.Collector => $"{sampling} for {string.Join(", ", plan.Cluster.Aggregators)}",
            _ => $"aggregating; collectors connect to {plan.Cluster.Listen}",
        });
        foreach (var destination in options.RunsAggregator ? plan.Destinations : [])
        {
            log.Write(LogLevel.Info, "main", $"pushing profiles to {destination.Endpoint}");
        }

        if (options.RunsAggregator)
        {
            Console.WriteLine($"flame graphs of the last hour: http://{Shown(options.Http)}/");
        }
    }

    private static IPEndPoint Shown(IPEndPoint address) =>
        address.Address.Equals(IPAddress.Any) ? new IPEndPoint(IPAddress.Loopback, address.Port) : address;

    /// <summary>True when the process was asked to stop, false when the actor system ended by itself.</summary>
    private static async Task<bool> WaitForStopAsync(ActorSystem system, CancellationToken cancellation)
    {
        var stopped = new TaskCompletionSource();
        await using var registration = cancellation.Register(stopped.SetResult);
        return await Task.WhenAny(stopped.Task, system.WhenTerminated) == stopped.Task;
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
