using System.Collections.Immutable;
using ActorProfiler.Security;
using ActorProfiler.Telemetry;
using Akka.Actor;
using Akka.Cluster;
using Akka.Event;

namespace ActorProfiler.Aggregator.Peers;

/// <summary>
/// Looks for the other aggregators again and again, and tells its follower those it knows. Searching until this one is a member: then with whom to join is
/// <see cref="PeerBootstrap"/>'s decision. Member from then on.
/// </summary>
internal sealed class PeerFinderActor : ReceiveActor, IWithTimers
{
    private const string Part = "peers";

    private readonly Cluster _cluster = Cluster.Get(Context.System);
    private readonly CancellationTokenSource _stopped = new();
    private readonly Dictionary<string, DateTimeOffset> _lastFound = new(StringComparer.Ordinal);
    private readonly PeerFinderOptions _options;
    private readonly PeerBootstrap _bootstrap;
    private readonly TlsFiles? _tls;
    private readonly string _self;
    private PeerSources _sources;
    private ImmutableHashSet<Address> _told = [];

    public PeerFinderActor(PeerFinderOptions options)
    {
        (_options, _sources, _self) = (options, options.Search.Sources, NameOf(_cluster.SelfAddress));
        _bootstrap = new PeerBootstrap(_self, options.Search);
        _tls = Context.System.Settings.Setup.Get<PeerTls>() is { HasValue: true } setup ? setup.Value.Files : null;
        Searching();
    }

    public ITimerScheduler Timers { get; set; } = null!;

    private CancellationToken Stopped => _stopped.Token;

    private sealed record Look
    {
        public static readonly Look Instance = new();
    }

    /// <param name="Reached">Of those found, the ones that answer; of no meaning for a member.</param>
    private sealed record Looked(ImmutableSortedSet<string> Found, ImmutableHashSet<string> Reached, string Problem);

    public static Props Props(PeerFinderOptions options) => Akka.Actor.Props.Create(() => new PeerFinderActor(options));

    protected override void PreStart()
    {
        var self = Self;
        _cluster.RegisterOnMemberUp(() => self.Tell(new Joined()));
        self.Tell(Look.Instance);
    }

    protected override void PostStop()
    {
        _stopped.Cancel();
        _stopped.Dispose();
        _options.Health.Clear(Part);
    }

    private void Searching()
    {
        Receive<PeerSources>(sources => _sources = sources);
        Receive<Look>(_ => LookAsync(_sources, tries: true).PipeTo(Self));
        Receive<Joined>(_ => Become(Member));
        Receive<Looked>(looked =>
        {
            Remember(looked.Found);
            var (seeds, waiting) = _bootstrap.Look(looked.Found, looked.Reached, _options.Clock.GetUtcNow());
            Report(looked.Problem.Length > 0 ? looked.Problem : waiting);
            if (seeds is { } found)
            {
                Context.GetLogger().Info("joining the aggregators {0}", string.Join(", ", found));
                _cluster.JoinSeedNodes(found.Select(AddressOf));
            }

            LookLater(_options.Search.Interval);
        });
    }

    private void Member()
    {
        Receive<PeerSources>(sources =>
        {
            _sources = sources;
            LookLater(TimeSpan.Zero);
        });
        Receive<Look>(_ => LookAsync(_sources, tries: false).PipeTo(Self));
        Receive<Looked>(looked =>
        {
            Remember(looked.Found);
            var strangers = looked.Found.Except(_cluster.State.Members.Select(member => NameOf(member.Address)));
            Report(looked.Problem.Length > 0 ? looked.Problem
                : strangers.IsEmpty ? ""
                : $"{string.Join(", ", strangers.Take(20))} was found but is not in the cluster of this aggregator");
            LookLater(_options.Search.MemberInterval);
        });
        LookLater(_options.Search.Interval);
    }

    private void LookLater(TimeSpan pause) => Timers.StartSingleTimer(Part, Look.Instance, pause);

    private void Report(string problem)
    {
        if (problem.Length > 0)
        {
            _options.Health.Report(Part, problem);
            return;
        }

        _options.Health.Clear(Part);
    }

    /// <summary>Tells the follower when those that are or lately were found are others than before.</summary>
    private void Remember(ImmutableSortedSet<string> found)
    {
        var now = _options.Clock.GetUtcNow();
        foreach (var address in found)
        {
            _lastFound[address] = now;
        }

        foreach (var (address, last) in _lastFound)
        {
            if (now - last > _options.Search.Memory)
            {
                _lastFound.Remove(address);
            }
        }

        var known = _lastFound.Keys.Select(AddressOf).ToImmutableHashSet();
        if (!known.SetEquals(_told))
        {
            _told = known;
            _options.Follower.Tell(new PeerList(known));
        }
    }

    private async Task<Looked> LookAsync(PeerSources sources, bool tries)
    {
        var (found, problem) = await sources.LookUpAsync(_cluster.SelfAddress, _options.Search.Resolve).ConfigureAwait(false);
        var answers = await Task.WhenAll(tries ? found.Select(AnswersAsync) : []).ConfigureAwait(false);
        return new Looked(found, [.. answers.OfType<string>()], problem);
    }

    /// <summary>The address when an aggregator answers there, or null.</summary>
    private async Task<string?> AnswersAsync(string address)
    {
        if (address == _self)
        {
            return address;
        }

        try
        {
            var node = AddressOf(address);
            await using var connection = await PeerDial.OpenAsync(node.Host, node.Port!.Value, _tls, Stopped).ConfigureAwait(false);
            return address;
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static string NameOf(Address address) => $"{address.Host}:{address.Port}";

    private Address AddressOf(string name)
    {
        var colon = name.LastIndexOf(':');
        return _cluster.SelfAddress.WithHost(name[..colon]).WithPort(int.Parse(name.AsSpan(colon + 1), System.Globalization.CultureInfo.InvariantCulture));
    }

    private sealed record Joined;
}

/// <summary>The aggregators that are configured or found from now on.</summary>
internal sealed record PeerList(ImmutableHashSet<Address> Addresses);

/// <param name="Follower">Is told each <see cref="PeerList"/>.</param>
internal sealed record PeerFinderOptions(PeerSearch Search, IActorRef Follower, Health Health, TimeProvider Clock);
