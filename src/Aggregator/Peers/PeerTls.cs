using ActorProfiler.Security;
using Akka.Actor.Setup;

namespace ActorProfiler.Aggregator.Peers;

/// <summary>An actor system made with this speaks mutual TLS with its peers.</summary>
internal sealed class PeerTls(TlsFiles files) : Setup
{
    public TlsFiles Files => files;
}
