using ActorProfiler.Aggregator.Aggregation;
using ActorProfiler.Aggregator.Ingest;
using ActorProfiler.Aggregator.Peers;
using Akka.Configuration;

namespace ActorProfiler.Aggregator;

/// <summary>The settings of the aggregator's actor system.</summary>
internal static class AggregatorConfig
{
    /// <summary>Name of the actor system: part of the addresses, so the same on every node.</summary>
    public const string SystemName = "actorprofiler";

    // The default tick of 10 ms costs an idle process several percent of a core.
    private const string Local =
        """
        akka {
          loglevel = INFO
          stdout-loglevel = WARNING
          log-dead-letters = off
          log-dead-letters-during-shutdown = off
          scheduler.tick-duration = 200ms
          coordinated-shutdown.phases.before-service-unbind.timeout = 30s
          coordinated-shutdown.exit-clr = off
          coordinated-shutdown.run-by-clr-shutdown-hook = off
        }
        """;

    /// <summary>For an aggregator alone or within a cluster.</summary>
    public static Config For(ClusterOptions? cluster) =>
        ConfigurationFactory.ParseString(cluster is null ? Local : Clustered(cluster) + Local);

    private static string NameOf<T>() => $"{typeof(T).FullName}, {typeof(T).Assembly.GetName().Name}";

    private static string Clustered(ClusterOptions options)
    {
        var seeds = string.Join(", ", options.Seeds.Select(seed => $"\"akka.tcp://{SystemName}@{seed}\""));
        return $$"""
            akka {
              actor {
                provider = cluster
                serializers {
                  json = "{{NameOf<RejectingJson>()}}"
                  proto = "{{NameOf<RejectingProtobuf>()}}"
                  daemon-create = "{{NameOf<RejectingDaemonCreate>()}}"
                  akka-misc = "{{NameOf<RejectingMisc>()}}"
                  actorprofiler = "{{NameOf<WireSerializer>()}}"
                }
                serialization-bindings {
                  "ActorProfiler.Protocol.Submit, ActorProfiler.Shared" = actorprofiler
                  "ActorProfiler.Protocol.Stored, ActorProfiler.Shared" = actorprofiler
                  "ActorProfiler.Protocol.Refused, ActorProfiler.Shared" = actorprofiler
                  "ActorProfiler.Protocol.WhoHolds, ActorProfiler.Shared" = actorprofiler
                  "ActorProfiler.Protocol.Holds, ActorProfiler.Shared" = actorprofiler
                  "ActorProfiler.Protocol.CollectorSeen, ActorProfiler.Shared" = actorprofiler
                  "ActorProfiler.Protocol.CollectorHeld, ActorProfiler.Shared" = actorprofiler
                }
                serialization-settings.allow-unregistered-types = false
              }
              remote {
                untrusted-mode = on
                trusted-selection-paths = [
                  "/system/cluster/core/daemon", "/system/cluster/heartbeatReceiver", "/user/aggregator/{{SeriesRouterActor.Name}}",
                  "/user/aggregator/{{IngestGateActor.Name}}"]
                transport-failure-detector.acceptable-heartbeat-pause = 15s
                enabled-transports = ["akka.remote.{{PeerTransport.ConfigName}}"]
                {{PeerTransport.ConfigName}} {
                  transport-class = "{{NameOf<PeerTransport>()}}"
                  applied-adapters = []
                  hostname = "{{options.Host}}"
                  port = {{options.Port}}
                }
              }
              cluster {
                roles = [{{SeriesRingActor.Role}}]
                seed-nodes = [{{seeds}}]
                seed-node-timeout = {{options.SeedTimeout.TotalMilliseconds}}ms
                scheduler.tick-duration = 200ms
                failure-detector.acceptable-heartbeat-pause = 3s
                split-brain-resolver.active-strategy = keep-majority
                split-brain-resolver.stable-after = 20s
              }
            }

            """;
    }
}
