using System.Collections.Immutable;
using ActorProfiler.Labels;
using Akka.Actor;
using Akka.Event;

namespace ActorProfiler.Collector.Targets.Discovery;

/// <summary>
/// Runs the search of one <c>discovery.*</c> block. Searching, asking for one result after the other; Waiting after a failure, then
/// Searching anew. What was found before a failure stays valid.
/// </summary>
internal sealed class DiscoveryActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan _retryAfter = TimeSpan.FromSeconds(10);

    private readonly string _id;
    private readonly IDiscovery _discovery;
    private readonly TimeProvider _clock;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly CancellationTokenSource _stopped = new();
    private IAsyncEnumerator<ImmutableArray<LabelSet>>? _search;
    private bool _failed;

    public DiscoveryActor(string id, IDiscovery discovery, TimeProvider clock)
    {
        (_id, _discovery, _clock) = (id, discovery, clock);
        Receive<Search>(_ => Begin());
        Receive<Step>(step =>
        {
            _failed = false;
            Context.Parent.Tell(new Found(_id, step.Targets));
            Next();
        });
        Receive<Failed>(failed => BackOff(failed.Cause));
    }

    /// <summary>Told to the parent: all targets there are now.</summary>
    public sealed record Found(string Id, ImmutableArray<LabelSet> Targets);

    /// <summary>Told to the parent: the search failed and is tried again; the last <see cref="Found"/> stays valid.</summary>
    public sealed record Failing(string Id, string Message);

    private sealed record Search;

    private sealed record Step(ImmutableArray<LabelSet> Targets);

    private sealed record Failed(Exception Cause);

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(string id, IDiscovery discovery, TimeProvider clock) => Akka.Actor.Props.Create(() => new DiscoveryActor(id, discovery, clock));

    protected override void PreStart()
    {
        if (_discovery.Remark.Length > 0)
        {
            _log.Info("{0}: {1}", _id, _discovery.Remark);
        }

        Self.Tell(new Search());
    }

    // The search ends by itself when it is cancelled: an enumerator must not be disposed while it is asked.
    protected override void PostStop() => _stopped.Cancel();

    private void Begin()
    {
        _search = _discovery.FindAsync(_clock, _stopped.Token).GetAsyncEnumerator(_stopped.Token);
        Next();
    }

    private void Next() => StepAsync(_search!).PipeTo(Self, failure: cause => new Failed(cause));

    private static async Task<Step> StepAsync(IAsyncEnumerator<ImmutableArray<LabelSet>> search) =>
        await Task.Run(async () => await search.MoveNextAsync().ConfigureAwait(false)).ConfigureAwait(false)
            ? new Step(search.Current)
            : throw new InvalidOperationException("the search ended by itself");

    private void BackOff(Exception cause)
    {
        if (!_failed)
        {
            _log.Warning("{0}: {1}; the targets found before stay, next try in {2} s", _id, cause.Message, _retryAfter.TotalSeconds);
        }

        _failed = true;
        Context.Parent.Tell(new Failing(_id, cause.Message));
        Timers.StartSingleTimer(nameof(Search), new Search(), _retryAfter);
    }
}
