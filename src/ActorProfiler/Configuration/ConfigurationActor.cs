using System.Collections.Immutable;
using ActorProfiler.Collector.Targets.Discovery;
using ActorProfiler.Configuration.Syntax;
using Akka.Actor;
using Akka.Event;

namespace ActorProfiler.Commands.Configuration;

/// <summary>
/// Owns the configuration: runs its discoveries, evaluates what depends on what they find, and has the plan carried out. A file with errors
/// changes nothing. One state.
/// </summary>
internal sealed class ConfigurationActor : ReceiveActor
{
    private readonly ConfigurationOptions _options;
    private readonly Dictionary<string, (IDiscovery Options, IActorRef Actor)> _running = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _failing = new(StringComparer.Ordinal);
    private LoadedConfiguration _loaded;
    private int _started;

    public ConfigurationActor(LoadedConfiguration loaded, ConfigurationOptions options)
    {
        (_loaded, _options) = (loaded, options);
        Receive<Reload>(reload => Load(reload.File));
        Receive<DiscoveryActor.Found>(IsRunning, found =>
        {
            _failing.Remove(found.Id);
            Take(_loaded.Found(found.Id, DiscoveryExports.Of(found.Targets)));
        });
        Receive<DiscoveryActor.Found>(_ => { }); // of one that was stopped
        Receive<DiscoveryActor.Failing>(failing =>
        {
            _failing[failing.Id] = failing.Message;
            Report();
        });
    }

    /// <summary>Asks to take over a file. Answered with <see cref="Reloaded"/>.</summary>
    public sealed record Reload(SourceFile File);

    /// <param name="Problems">Errors and warnings, in the order of the text.</param>
    public sealed record Reloaded(bool IsLoaded, IReadOnlyList<Diagnostic> Problems);

    public static Props Props(LoadedConfiguration loaded, ConfigurationOptions options) => Akka.Actor.Props.Create(() => new ConfigurationActor(loaded, options));

    protected override void PreStart()
    {
        _options.Apply(_loaded.Plan);
        Run();
        Report();
    }

    private bool IsRunning(DiscoveryActor.Found found) => _running.TryGetValue(found.Id, out var running) && running.Actor.Equals(Sender);

    private void Load(SourceFile file)
    {
        var diagnostics = new Diagnostics();
        var loaded = LoadedConfiguration.Load(file, _loaded.Values, _options.Pushes, diagnostics);
        if (loaded is not null && !loaded.Plan.Cluster.IsAs(_loaded.Plan.Cluster))
        {
            Context.GetLogger().Warning("{0}: the cluster block has changed; that takes effect when the process starts anew", file.Name);
        }

        if (loaded is not null)
        {
            Take(loaded);
        }

        Sender.Tell(new Reloaded(loaded is not null, diagnostics.All));
    }

    private void Take(LoadedConfiguration loaded)
    {
        _loaded = loaded;
        _options.Apply(loaded.Plan);
        Run();
        Report();
    }

    /// <summary>Starts and stops discoveries so that those of the configuration run, with the options they have now.</summary>
    private void Run()
    {
        var wanted = _loaded.Values.Of<IDiscovery>().Where(pair => _options.Discovers || _loaded.OfCluster.Contains(pair.State.Id)).ToDictionary(pair => pair.State.Id, pair => pair.Options, StringComparer.Ordinal);
        foreach (var (id, running) in _running.Where(pair => !wanted.TryGetValue(pair.Key, out var options) || !ReferenceEquals(options, pair.Value.Options)).ToList())
        {
            Context.Stop(running.Actor);
            _running.Remove(id);
            _failing.Remove(id);
        }

        foreach (var (id, options) in wanted.Where(pair => !_running.ContainsKey(pair.Key)))
        {
            _running[id] = (options, Context.ActorOf(DiscoveryActor.Props(id, options, _options.Clock), $"{id}-{_started++}"));
        }
    }

    private void Report() => _options.Report(
        _loaded.Values.States.Where(state => state.Problem.Length > 0).Select(state => KeyValuePair.Create(state.Id, state.Problem)).Concat(_failing)
            .DistinctBy(pair => pair.Key).ToImmutableSortedDictionary(StringComparer.Ordinal));
}

/// <param name="Discovers">This process has a collector: all discoveries run, and not only those of the cluster.</param>
/// <param name="Pushes">This process has an aggregator.</param>
/// <param name="Apply">Carries a plan out.</param>
/// <param name="Report">Is told which blocks do not do well, and why.</param>
internal sealed record ConfigurationOptions(
    bool Discovers, bool Pushes, Action<RunPlan> Apply, Action<ImmutableSortedDictionary<string, string>> Report, TimeProvider Clock);
