using System.Net;
using ActorProfiler.Aggregator.Ingest;
using ActorProfiler.Aggregator.LocalStore;
using ActorProfiler.Aggregator.Page;
using ActorProfiler.Commands.Configuration;
using ActorProfiler.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Prometheus;

namespace ActorProfiler.Commands.Run;

/// <summary>What a process listens on: the page with metrics and health, and where collectors connect.</summary>
internal static class RunWeb
{
    public static WebApplication Create(
        RunOptions options, IPEndPoint ingest, TlsFiles? tls, RunState state, ProfileStore store, ConfigurationStatus status)
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
                kestrel.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(30);
                kestrel.Limits.MaxConcurrentConnections = Descriptors.ForConnections();
                kestrel.Listen(ingest, listen => FleetTls.Secure(listen, tls));
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
            context => context.Connection.LocalPort != ingest.Port || options.Role != Role.Aggregator,
            branch => MapHttp(branch, options, state, store, status));
        if (options.Role == Role.Aggregator)
        {
            web.MapGrpcService<IngestService>();
        }

        return web;
    }

    private static void MapHttp(IApplicationBuilder branch, RunOptions options, RunState state, ProfileStore store, ConfigurationStatus status)
    {
        branch.UsePageSecurity(new HostAllowList([options.Http.ToString()]));
        branch.UseRouting();
        branch.UseEndpoints(routes =>
        {
            routes.MapMetrics();
            routes.MapHealth(state);
            status.Map(routes);
            if (options.RunsAggregator)
            {
                routes.MapPage(store);
            }
        });
    }
}
