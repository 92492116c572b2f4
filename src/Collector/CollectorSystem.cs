using System.Collections.Immutable;
using System.Runtime.ExceptionServices;
using ActorProfiler.Collector.Batching;
using ActorProfiler.Collector.Interpreters.Jit;
using ActorProfiler.Collector.Processes;
using ActorProfiler.Collector.Sampling;
using ActorProfiler.Collector.Stacks;
using ActorProfiler.Collector.Symbols;
using ActorProfiler.Collector.Targets;
using ActorProfiler.Security;
using ActorProfiler.Telemetry;
using Akka.Actor;

namespace ActorProfiler.Collector;

/// <summary>The collector, wired: which actor feeds which. Sampling → round (target, stack, batch) → sender → aggregator.</summary>
public sealed class CollectorSystem : IAsyncDisposable
{
    private static readonly TimeSpan _startTimeout = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan _stopTimeout = TimeSpan.FromSeconds(10);

    private readonly ElfFiles _files = new();
    private readonly ProcessRoots _roots = new();
    private readonly JitNames _jit;
    private readonly TargetTable _targets;
    private readonly CollectorMetrics _metrics;
    private readonly IActorRef _sampling;
    private readonly IActorRef _round;
    private readonly IActorRef _sender;
    private IActorRef _link = ActorRefs.Nobody;
    private readonly string _dataFolder;
    private IReadOnlyList<string> _disabledRuntimes;
    private readonly TimeProvider _time;

    private CollectorSystem(ActorSystem system, CollectorOptions options, CollectorMetrics metrics, TimeProvider time)
    {
        (_dataFolder, _time) = (options.DataFolder, time);
        Identity = CollectorIdentity.Open(options.DataFolder, time);
        _metrics = metrics;
        _targets = new TargetTable();
        _jit = new JitNames(JitRuntimes.Without(options.DisabledRuntimes), _roots, time);
        _disabledRuntimes = options.DisabledRuntimes;
        var stacks = new StackResolver(new SymbolCaches(SymbolOptions.Default, KernelSymbols.OfThisHost(), _roots), _jit);
        _sender = system.ActorOf(BatchSenderActor.Props(new BatchSenderOptions(
            Identity, Ledger, metrics, options.Health, time, options.SendBufferBytes, Path.Combine(options.DataFolder, "spool"), options.SpoolBytes)), "collector-batches");
        _round = system.ActorOf(RoundActor.Props(new CollectionRound(_targets, stacks), stacks, _jit, Ledger, metrics, options.Health, _sender), "collector-round");
        _sampling = system.ActorOf(
            SamplingActor.Props(
                new SamplingActor.Configure(options.Sampling, options.CollectInterval),
                sampling => new SamplingSession(sampling, _targets, _files, _jit, time),
                _round,
                time),
            "collector-sampling");
    }

    public LossLedger Ledger { get; } = new();

    public CollectorIdentity Identity { get; }

    /// <summary>Starts sampling. Batches wait until <see cref="ConnectTo(IActorRef,long)"/> or <see cref="ConnectTo(ActorSystem,IReadOnlyList{Uri},TlsFiles)"/> says where to.</summary>
    /// <exception cref="IOException">The data folder cannot be written.</exception>
    /// <exception cref="FormatException">The kept identity is damaged.</exception>
    public static CollectorSystem Start(ActorSystem system, CollectorOptions options, CollectorMetrics metrics, TimeProvider time) =>
        new(system, options, metrics, time);

    /// <summary>Changes what is sampled and how it is named while sampling goes on. The running interval ends first, so that each has one true period.</summary>
    /// <param name="disabledRuntimes">As <see cref="CollectorOptions.DisabledRuntimes"/>.</param>
    internal void Configure(
        SamplingOptions sampling, TimeSpan collectInterval, SymbolOptions symbols, ContainerCache.Bounds containers, IReadOnlyList<string> disabledRuntimes)
    {
        _targets.SetBounds(containers);
        _targets.SetSampleRate(sampling.SampleRate);
        if (!disabledRuntimes.SequenceEqual(_disabledRuntimes))
        {
            // Names that were read before are forgotten when those that gave them have stopped.
            _disabledRuntimes = disabledRuntimes;
            _jit.UseAsync(JitRuntimes.Without(disabledRuntimes)).PipeTo(_round, success: () => new RoundActor.ForgetNames());
        }

        _sampling.Tell(new SamplingActor.Configure(sampling, collectInterval));
        _sampling.Tell(new SamplingActor.Reconsider());
        _round.Tell(symbols);
    }

    /// <summary>Takes over the targets that discovery found now, one list for each block. Every running process is matched anew.</summary>
    internal void SetTargets(ImmutableArray<TargetList> targets)
    {
        _targets.Replace(targets);
        _metrics.OnTargets(_targets.Count);
        _sampling.Tell(new SamplingActor.Reconsider());
    }

    /// <summary>Sends batches to an aggregator in this process.</summary>
    public void ConnectTo(IActorRef ingest, long creditBytes) => _sender.Tell(new BatchSenderActor.Connected(ingest, creditBytes));

    /// <summary>Sends batches to one of these aggregators, and to another when that does not answer.</summary>
    /// <param name="tls">Null: plaintext.</param>
    public void ConnectTo(ActorSystem system, IReadOnlyList<Uri> aggregators, TlsFiles? tls) => _link = system.ActorOf(
        AggregatorLinkActor.Props(new LinkOptions(aggregators, Identity, () => CollectorIdentity.Renew(_dataFolder, _time), _time) { Tls = tls }, _sender), "collector-link");

    /// <summary>From now on these are the aggregators.</summary>
    internal void SetAggregators(IReadOnlyList<Uri> aggregators) => _link.Tell(new AggregatorLinkActor.SetAddresses(aggregators));

    /// <summary>Returns when the host is sampled.</summary>
    /// <exception cref="Sampling.Native.BpfException">The BPF programs could not be loaded; sampling is tried again until the collector stops.</exception>
    /// <exception cref="DllNotFoundException">libbpf is not installed.</exception>
    public async Task SamplingAsync()
    {
        // Ask, here and below: the callers are outside of any actor.
        if (await _sampling.Ask<object>(new SamplingActor.AwaitStart(), _startTimeout) is SamplingActor.Failed failed)
        {
            ExceptionDispatchInfo.Throw(failed.Cause);
        }
    }

    /// <summary>Stops sampling; what was sampled is with the sender afterwards.</summary>
    public async Task StopSamplingAsync()
    {
        await _sampling.Ask<SamplingActor.Stopped>(new SamplingActor.Stop(), _stopTimeout);
        await _round.Ask<RoundActor.Flushed>(new RoundActor.Flush(), _stopTimeout);
    }

    /// <summary>Waits until everything sampled is stored by an aggregator. False when that took longer than <paramref name="patience"/>.</summary>
    public async Task<bool> DrainAsync(TimeSpan patience)
    {
        try
        {
            await _sender.Ask<BatchSenderActor.Drained>(new BatchSenderActor.Drain(), patience);
            return true;
        }
        catch (AskTimeoutException)
        {
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _jit.DisposeAsync();
        _roots.Dispose();
        _files.Dispose();
    }
}
