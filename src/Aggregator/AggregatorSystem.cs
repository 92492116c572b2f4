using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.IO.Hashing;
using System.Text;
using ActorProfiler.Aggregator.Aggregation;
using ActorProfiler.Aggregator.Destinations;
using ActorProfiler.Aggregator.Ingest;
using ActorProfiler.Aggregator.Outbox;
using ActorProfiler.Aggregator.Peers;
using ActorProfiler.Aggregator.Pprof;
using ActorProfiler.Labels;
using ActorProfiler.Telemetry;
using Akka.Actor;
using Akka.Cluster;

namespace ActorProfiler.Aggregator;

/// <summary>
/// The aggregator, wired: batches in at <see cref="Ingest"/>, profiles out at the destinations. Runs in an actor system of the caller's,
/// made with <see cref="AggregatorConfig"/>.
/// </summary>
/// <remarks>
/// A collector in this process tells <see cref="Protocol.Submit"/> to <see cref="Ingest"/> and hears <see cref="Protocol.Stored"/> or
/// <see cref="Protocol.Refused"/>. Others come through <c>MapGrpcService&lt;IngestService&gt;()</c> with <see cref="Endpoint"/> as a singleton.
/// </remarks>
internal sealed class AggregatorSystem
{
    private static readonly TimeSpan _flushTimeout = TimeSpan.FromSeconds(15);

    private readonly AggregatorOptions _options;
    private readonly ProfileOutbox _outbox;
    private readonly IActorRef _root;
    private readonly AggregatorActor.Found _actors;
    private readonly Lazy<Task> _stop;
    private readonly Func<DestinationSetup, (IDestination Destination, DestinationContext Context)> _prepare;
    private SeriesTimes _times = new();
    private IActorRef _finder = ActorRefs.Nobody;
    private IReadOnlyList<DestinationSetup> _destinations;

    private AggregatorSystem(
        AggregatorOptions options,
        ProfileOutbox outbox,
        IActorRef root,
        AggregatorActor.Found actors,
        AggregatorLedgers ledgers,
        Func<DestinationSetup, (IDestination Destination, DestinationContext Context)> prepare)
    {
        (_options, _outbox, _root, _actors, _prepare, _destinations) = (options, outbox, root, actors, prepare, options.Destinations);
        Ledgers = ledgers;
        _stop = new Lazy<Task>(DrainAndStopAsync);
        Endpoint = new IngestEndpoint(actors.Ingest, Environment.MachineName, options.CreditBytes);
    }

    /// <summary>Takes the batches of collectors in this process.</summary>
    public IActorRef Ingest => _actors.Ingest;

    /// <summary>What <see cref="IngestService"/> needs.</summary>
    public IngestEndpoint Endpoint { get; }

    public AggregatorLedgers Ledgers { get; }

    /// <summary>How each destination does.</summary>
    public required IReadOnlyList<DestinationStatus> Destinations { get; set; }

    /// <summary>Opens the outbox, takes up what waits in it, and starts the actors.</summary>
    /// <exception cref="IOException">The data folder cannot be made, or the outbox in it cannot be opened.</exception>
    public static async Task<AggregatorSystem> StartAsync(ActorSystem system, AggregatorOptions options)
    {
        Directory.CreateDirectory(options.DataFolder);
        if (!OperatingSystem.IsWindows())
        {
            // Profiles hold names of programs, files and functions.
            File.SetUnixFileMode(options.DataFolder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        var metrics = new AggregatorMetrics(options.Metrics);
        var names = options.Destinations.Select(setup => setup.Destination.Name).ToList();
        var self = options.Cluster is null ? null : Cluster.Get(system).SelfAddress;
        var times = TimesOf(options.Cluster, self);
        times.ShareBetween(Elsewhere(options.Destinations));
        var outbox = ProfileOutbox.Open(options.DataFolder, names, times, options.Clock, OutboxOptions.SegmentBytes(options.MaxBytes));
        var owners = new CollectorOwners(Path.Combine(options.DataFolder, "collector-owners"));
        var ledgers = LedgersOf(outbox, names);
        Count(outbox.Damage, ledgers, metrics, options.Health);
        var statuses = new ConcurrentDictionary<string, DestinationStatus>(names.Select(name => KeyValuePair.Create(name, new DestinationStatus(name))), StringComparer.Ordinal);
        var parts = new AggregatorParts(
            outbox,
            new OutboxOptions(options.Clock, ledgers.Destinations, options.Health) { MaxAge = options.MaxAge, MaxBytes = options.MaxBytes, SweepEvery = options.SweepEvery },
            new SeriesRouterOptions(options.Window, options.Clock, ledgers.Intake, outbox.Remembered, self) { Others = OthersOf(system, self) },
            options.Quota,
            owners,
            owners.Read(),
            times,
            metrics,
            actor => [.. options.Destinations.Select(setup => Prepare(setup, actor))])
        {
            AwaitsPeers = options.Cluster?.Search is not null,
        };

        var root = system.ActorOf(AggregatorActor.Props(parts), "aggregator");
        // Ask: this is outside of any actor, and so are the waits at the end.
        var found = await root.Ask<AggregatorActor.Found>(AggregatorActor.Find.Instance, _flushTimeout).ConfigureAwait(false);
        var started = new AggregatorSystem(options, outbox, root, found, ledgers, setup => Prepare(setup, found.Outbox))
        {
            Destinations = [.. statuses.Values],
            _times = times,
            _finder = options.Cluster?.Search is { } search ? system.ActorOf(PeerFinderActor.Props(new PeerFinderOptions(search, found.Ring, options.Health, options.Clock)), "peers") : ActorRefs.Nobody,
        };
        CoordinatedShutdown.Get(system).AddTask(CoordinatedShutdown.PhaseBeforeServiceUnbind, "drain-aggregator", async () =>
        {
            await started.StopAsync().ConfigureAwait(false);
            return Akka.Done.Instance;
        });
        return started;

        (IDestination Destination, DestinationContext Context) Prepare(DestinationSetup setup, IActorRef actor) => (setup.Destination, new DestinationContext(
            setup.Options,
            actor,
            outbox,
            times,
            new DeadLetters(Path.Combine(options.DataFolder, "dead-letters", Uri.EscapeDataString(setup.Destination.Name)), options.Clock),
            ledgers.Destinations[setup.Destination.Name],
            statuses.GetOrAdd(setup.Destination.Name, name => new DestinationStatus(name)),
            options.Health,
            metrics,
            options.Clock));
    }

    /// <summary>
    /// Changes destinations and window while profiles flow. Destinations that are the same objects as before run on; others are stopped and
    /// disposed, and what waits for their names goes to the new ones. For one caller at a time.
    /// </summary>
    public void Configure(IReadOnlyList<DestinationSetup> destinations, TimeSpan window)
    {
        var names = destinations.Select(setup => setup.Destination.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var name in names)
        {
            Ledgers.Destinations.GetOrAdd(name, _ => new LossLedger());
        }

        _outbox.Destinations = [.. names];
        _times.ShareBetween(Elsewhere(destinations));
        var prepared = destinations.Select(_prepare).ToList();
        Destinations = [.. prepared.Select(pair => pair.Context.Status)];
        _destinations = destinations;
        _actors.Fanout.Tell(new FanoutActor.Replace(prepared, _actors.Outbox));
        _actors.Series.Tell(new SetWindow(window));
        foreach (var gone in Ledgers.Destinations.Keys.Where(name => !names.Contains(name)).ToList())
        {
            Ledgers.Destinations.TryRemove(gone, out _);
        }
    }

    /// <summary>Takes over the list of aggregators. One that is in it no more, and not up, is waited for no longer.</summary>
    /// <param name="addresses"><c>host:port</c> of all.</param>
    public void SetPeers(IReadOnlyList<string> addresses) =>
        _actors.Ring.Tell(new PeerList([.. addresses.Select(address => Address.Parse($"akka.tcp://{AggregatorConfig.SystemName}@{address}"))]));

    /// <summary>Looks for the other aggregators there from now on; for one that was started with a <see cref="PeerSearch"/>.</summary>
    public void SearchPeers(PeerSources sources) => _finder.Tell(sources);

    /// <summary>
    /// Closes all windows, stores their profiles, gives the destinations a moment to take them, and stops. What they have not taken
    /// stays in the outbox. May be called more than once.
    /// </summary>
    public Task StopAsync() => _stop.Value;

    /// <summary>Waits for the answer. One that does not come in time changes nothing: what it stands for was not acknowledged, or is in the outbox.</summary>
    private static async Task LetFinishAsync(IActorRef actor, object wish, TimeSpan patience) =>
        await ((Task)actor.Ask<object>(wish, patience)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private async Task DrainAndStopAsync()
    {
        await LetFinishAsync(_actors.Series, Drain.Instance, _flushTimeout).ConfigureAwait(false);
        await LetFinishAsync(_actors.Fanout, DestinationActor.Drain.Instance, _options.DrainTimeout).ConfigureAwait(false);
        await LetFinishAsync(_actors.Outbox, OutboxActor.Flush.Instance, _flushTimeout).ConfigureAwait(false);
        await _root.GracefulStop(_flushTimeout).ConfigureAwait(false);
        _outbox.Dispose();
        foreach (var destination in _destinations)
        {
            (destination.Destination as IDisposable)?.Dispose();
        }
    }

    private static Func<LabelSet, IEnumerable<LabelSet>> Elsewhere(IReadOnlyList<DestinationSetup> destinations) =>
        series => destinations.Select(setup => setup.Destination.SeriesOf(series)).OfType<LabelSet>();

    private static ImmutableHashSet<Address> OthersOf(ActorSystem system, Address? self) =>
        self is null ? [] : [.. Cluster.Get(system).Settings.SeedNodes.Where(seed => !seed.Equals(self))];

    // The place in the list of seeds tells aggregators apart; one outside it takes the number after them. Those that no list names
    // take a number by their address: two that have the same one by chance are apart as long as they do not begin a window of one series in the same millisecond.
    private static SeriesTimes TimesOf(ClusterOptions? cluster, Address? self)
    {
        const int Numbers = 61;
        if (cluster?.Search is not null && self is not null)
        {
            return new SeriesTimes((int)(XxHash64.HashToUInt64(Encoding.UTF8.GetBytes($"{self.Host}:{self.Port}")) % Numbers), Numbers);
        }

        if (cluster is null || self is null || cluster.Seeds.Count == 0)
        {
            return new SeriesTimes();
        }

        var place = cluster.Seeds.ToList().IndexOf($"{self.Host}:{self.Port}");
        return new SeriesTimes(place >= 0 ? place : cluster.Seeds.Count, cluster.Seeds.Count + 1);
    }

    private static AggregatorLedgers LedgersOf(ProfileOutbox outbox, List<string> names)
    {
        var ledgers = new AggregatorLedgers(new LossLedger(), new(names.Select(name => KeyValuePair.Create(name, new LossLedger())), StringComparer.Ordinal));
        foreach (var (name, ledger) in ledgers.Destinations)
        {
            ledger.Restore(outbox.Pending(name).Sum(entry => entry.Ticks));
        }

        return ledgers;
    }

    private static void Count(OutboxDamage damage, AggregatorLedgers ledgers, AggregatorMetrics metrics, Health health)
    {
        foreach (var (destination, (profiles, ticks)) in damage.Lost)
        {
            ledgers.Destinations[destination].Restore(ticks);
            ledgers.Destinations[destination].Drop("damaged", ticks);
            metrics.Dropped.WithLabels(destination, "damaged").Inc(profiles);
        }

        metrics.OutboxDamaged.WithLabels("profile").Inc(damage.LostProfiles);
        metrics.OutboxDamaged.WithLabels("tail").Inc(damage.IsTailTorn ? 1 : 0);
        if (damage.LostProfiles > 0)
        {
            health.Report("outbox", $"{damage.LostProfiles} profiles in it were damaged at the start and are lost; check the disk");
        }
    }
}

/// <summary>The balance of this process since its start.</summary>
/// <param name="Intake">From a batch's first arrival to the disk.</param>
/// <param name="Destinations">By name, from the disk to the destination; what waited from an earlier start counts as entered.</param>
internal sealed record AggregatorLedgers(LossLedger Intake, ConcurrentDictionary<string, LossLedger> Destinations);
