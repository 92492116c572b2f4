using System.Net.Sockets;
using ActorProfiler.Aggregator;
using ActorProfiler.Aggregator.Peers;
using ActorProfiler.Security;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Cluster;
using Akka.Configuration;

namespace ActorProfiler.Tests.Peers;

public sealed class PeerTransportTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_peer_of_another_authority_is_refused_and_ends_nobody()
    {
        int[] ports = [FreePort(), FreePort(), FreePort()];
        using var one = Start(ports, 0, Tls("ours"));
        using var stranger = Start(ports, 2, Tls("theirs"));
        using var two = Start(ports, 1, Tls("ours"));

        await Eventually.TrueAsync(() => Up(one) == 2 && Up(two) == 2);

        Assert.False(one.WhenTerminated.IsCompleted || two.WhenTerminated.IsCompleted || stranger.WhenTerminated.IsCompleted);
        Assert.Equal(0, Up(stranger));
    }

    [Fact]
    public async Task Certificates_that_change_on_disk_are_used_from_the_next_connection_on()
    {
        int[] ports = [FreePort(), FreePort()];
        using var authority = new FleetAuthority(TimeProvider.System, TimeSpan.FromDays(1));
        var files = Write(authority, "rotating");
        using var one = Start(ports, 0, files);
        await Eventually.TrueAsync(() => Up(one) == 1);

        // Another authority replaces the one that the first node has started with.
        using var next = new FleetAuthority(TimeProvider.System, TimeSpan.FromDays(1));
        using var two = Start(ports, 1, Write(next, "rotating"));

        await Eventually.TrueAsync(() => Up(one) == 2 && Up(two) == 2);
    }

    [Fact]
    public async Task Frames_of_other_serializers_make_nothing()
    {
        int[] ports = [FreePort()];
        using var victim = Start(ports, 0, null);
        var before = (Gadget.Made, GadgetException.Read, GadgetActor.Made);
        using var attacker = Attack(victim, ports[0]);

        // What may pass still does, after all of that.
        await Eventually.TrueAsync(() => Up(victim) == 1);
        using var connected = new TcpClient("127.0.0.1", ports[0]);
        await connected.GetStream().WriteAsync(new byte[] { 0x7f, 0xff, 0xff, 0xff, 1, 2, 3 });
        Assert.Equal(0, await connected.GetStream().ReadAsync(new byte[1]));
        Assert.Equal(before, (Gadget.Made, GadgetException.Read, GadgetActor.Made));
        Assert.False(victim.WhenTerminated.IsCompleted);
    }

    [Fact]
    public async Task The_same_frames_make_a_gadget_where_the_serializers_of_Akka_are_left_in_place()
    {
        int[] ports = [FreePort()];
        using var victim = Start(ports, 0, null, $$"""
            akka.actor.serializers {
              json = "{{typeof(Akka.Serialization.NewtonSoftJsonSerializer).FullName}}, Akka"
              akka-misc = "Akka.Remote.Serialization.MiscMessageSerializer, Akka.Remote"
            }
            akka.remote.untrusted-mode = off
            """);
        var before = Gadget.Made;
        using var attacker = Attack(victim, ports[0]);

        await Eventually.TrueAsync(() => Gadget.Made > before);
    }

    private static ActorSystem Attack(ActorSystem victim, int port)
    {
        var hostile = ConfigurationFactory.ParseString(
            $$"""
            akka {
              loglevel = OFF
              stdout-loglevel = OFF
              actor.provider = remote
              remote.enabled-transports = ["akka.remote.peers"]
              remote.peers { transport-class = "{{typeof(PeerTransport).FullName}}, ActorProfiler.Aggregator", applied-adapters = [], hostname = 127.0.0.1, port = 0 }
            }
            """);
        var attacker = ActorSystem.Create(AggregatorConfig.SystemName, hostile);
        var there = new Address("akka.tcp", AggregatorConfig.SystemName, "127.0.0.1", port);
        victim.ActorOf(Akka.Actor.Props.Create(() => new Echo()), "echo");
        foreach (var path in (string[])["user/echo", "system/cluster/core/daemon", "user/aggregator/series"])
        {
            var target = attacker.ActorSelection($"{there}/{path}");
            target.Tell(new Gadget()); // JSON
            target.Tell(new Status.Failure(new GadgetException())); // an exception by the name of its type
        }

        attacker.ActorOf(Akka.Actor.Props.Create(() => new GadgetActor()).WithDeploy(Deploy.None.WithScope(new RemoteScope(there))), "deployed");
        return attacker;
    }

    private static ActorSystem Start(int[] ports, int node, TlsFiles? tls, string overrides = "")
    {
        var seeds = ports.Select(port => $"127.0.0.1:{port}").ToList();
        var config = ConfigurationFactory.ParseString($"akka.loglevel = OFF\nakka.stdout-loglevel = OFF\n{overrides}")
            .WithFallback(AggregatorConfig.For(new ClusterOptions("127.0.0.1", ports[node], seeds) { SeedTimeout = TimeSpan.FromSeconds(2) }));
        var setup = ActorSystemSetup.Create(BootstrapSetup.Create().WithConfig(config));
        return ActorSystem.Create(AggregatorConfig.SystemName, tls is null ? setup : setup.And(new PeerTls(tls)));
    }

    private static int Up(ActorSystem system) => Cluster.Get(system).State.Members.Count(member => member.Status == MemberStatus.Up);

    private TlsFiles Tls(string name)
    {
        if (Directory.Exists(Path.Combine(_folder.Path, name)))
        {
            return Files(name);
        }

        using var authority = new FleetAuthority(TimeProvider.System, TimeSpan.FromDays(1));
        return Write(authority, name);
    }

    private TlsFiles Write(FleetAuthority authority, string name)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder.Path, name)).FullName;
        var (certificate, key) = authority.Issue("aggregator", ["127.0.0.1"]);
        File.WriteAllText(Path.Combine(folder, "ca.crt"), authority.CertificatePem);
        File.WriteAllText(Path.Combine(folder, "node.crt"), certificate);
        File.WriteAllText(Path.Combine(folder, "node.key"), key);
        return Files(name);
    }

    private TlsFiles Files(string name) => new(
        Path.Combine(_folder.Path, name, "ca.crt"), Path.Combine(_folder.Path, name, "node.crt"), Path.Combine(_folder.Path, name, "node.key"), _ => { });

    private static int FreePort()
    {
        using var listener = new TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }

    private sealed class Echo : ReceiveActor
    {
        public Echo() => ReceiveAny(message => Sender.Tell(message));
    }

    private sealed class Gadget
    {
        private string _value = "x";

        public static int Made { get; private set; }

        public string Value
        {
            get => _value;
            set
            {
                _value = value;
                Made++;
            }
        }
    }

    private sealed class GadgetException : Exception
    {
        public GadgetException()
        {
        }

#pragma warning disable SYSLIB0051 // what a serializer would look for
        public GadgetException(System.Runtime.Serialization.SerializationInfo info, System.Runtime.Serialization.StreamingContext context)
            : base(info, context) => Read++;
#pragma warning restore SYSLIB0051

        public static int Read { get; private set; }
    }

    private sealed class GadgetActor : ReceiveActor
    {
        public GadgetActor() => Made++;

        public static int Made { get; private set; }
    }
}
