using ActorProfiler.Aggregator.Outbox;
using Akka.Actor;
using Akka.Event;

namespace ActorProfiler.Aggregator.Destinations;

/// <summary>
/// Writes the outbox's profiles to one destination, some at a time. Writing, while the destination takes them; Paused when it asked for it,
/// is misconfigured or its breaker is open; then one probe decides. Nothing here delays another destination.
/// </summary>
internal sealed partial class DestinationActor : ReceiveActor, IWithTimers
{
    private readonly IDestination _destination;
    private readonly DestinationContext _context;
    private readonly ProfileWriter _writer;
    private readonly PoisonWatch _poison = new();
    private readonly DestinationQueue _queue = new();
    private readonly DestinationCounters _counters;
    private readonly Dictionary<long, OutboxEntry> _writing = [];
    private readonly Dictionary<long, string> _overdue = [];
    private readonly List<OutboxEntry> _deferred = [];
    private readonly List<IActorRef> _drainers = [];
    private AdaptiveConcurrency _concurrency;
    private bool _subscribed;
    private bool _probing;

    public DestinationActor(IDestination destination, DestinationContext context)
    {
        _destination = destination;
        _context = context;
        _counters = new DestinationCounters(destination, context);
        _writer = new ProfileWriter(destination, context, _counters.Attempted);
        _concurrency = AdaptiveConcurrency.Start(context.Options.MaxConcurrency);
        Writing();
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(IDestination destination, DestinationContext context) =>
        Akka.Actor.Props.Create(() => new DestinationActor(destination, context));

    protected override void PreStart()
    {
        Timers.StartPeriodicTimer(nameof(Undefer), Undefer.Instance, TimeSpan.FromSeconds(30));
        _context.Outbox.Tell(new OutboxActor.Subscribe(_destination.Name, Self));
        _counters.Recovered();
    }

    protected override void PostStop() => _writer.Dispose();

    private void Writing()
    {
        Common(WriteNext);
    }

    private void Paused()
    {
        Receive<Resume>(_ =>
        {
            _probing = true;
            Become(Writing);
            WriteNext();
        });
        Common(() => { });
    }

    private void Common(Action next)
    {
        Receive<ProfilesStored>(stored =>
        {
            _subscribed = true;
            foreach (var entry in stored.Entries.Where(entry => !_writing.ContainsKey(entry.Id) && !_deferred.Contains(entry)))
            {
                if (stored.FromEarlierStart)
                {
                    _queue.AddBacklog(entry);
                }
                else
                {
                    _queue.AddFresh(entry);
                }
            }

            next();
            Report();
        });
        Receive<ProfilesOverdue>(DropOverdue);
        Receive<ProfileWriter.Result>(written =>
        {
            _writing.Remove(written.Entry.Id);
            Finish(written);
            next();
            Report();
        });
        Receive<Undefer>(_ =>
        {
            _deferred.ForEach(_queue.AddBacklog);
            _deferred.Clear();
            next();
        });
        Receive<DeadLetterKept>(_ => { });
        Receive<DeadLetterLost>(lost => Context.GetLogger().Warning("keep a dead letter of {Destination}: {Cause}", _destination.Name, lost.Cause));
        Receive<Drain>(_ =>
        {
            _drainers.Add(Sender);
            Report();
        });
    }

    private void WriteNext()
    {
        // While probing, one write at a time shows whether the destination is back.
        while (_writing.Count < (_probing ? 1 : _concurrency.Limit) && _queue.TryTake(out var entry))
        {
            _writing.Add(entry.Id, entry);
            _writer.WriteAsync(entry).PipeTo(Self);
        }
    }

    private void DropOverdue(ProfilesOverdue overdue)
    {
        foreach (var id in overdue.Ids)
        {
            if (_writing.ContainsKey(id))
            {
                _overdue[id] = overdue.Reason;
            }
            else if (_queue.TryRemove(id, out var entry))
            {
                Drop(entry, overdue.Reason);
            }
        }

        foreach (var entry in _deferred.Where(entry => overdue.Ids.Contains(entry.Id)).ToList())
        {
            _deferred.Remove(entry);
            Drop(entry, overdue.Reason);
        }

        Report();
    }

    private void Pause(TimeSpan wait, WriteOutcome why)
    {
        var bounded = wait < _context.Options.LongestPause ? wait : _context.Options.LongestPause;
        if (!Timers.IsTimerActive(nameof(Resume)))
        {
            // One line per change of state, not per probe.
            if (_counters.Failing(why))
            {
                Context.GetLogger().Warning(
                    "{Destination} takes no profiles ({Reason}): {Message}; they wait in the outbox and are tried again", _destination.Name, why.Reason, why.Message);
            }

            Become(Paused);
            Timers.StartSingleTimer(nameof(Resume), Resume.Instance, bounded);
        }
    }

    private void Report()
    {
        _counters.Waiting(_queue, [.. _writing.Values, .. _deferred], _concurrency.Limit);
        if (_subscribed && _drainers.Count > 0 && _writing.Count == 0 && _queue.Count == 0)
        {
            _drainers.ForEach(drainer => drainer.Tell(Drained.Instance));
            _drainers.Clear();
        }
    }

    /// <summary>Answered with <see cref="Drained"/> when nothing waits and nothing is under way.</summary>
    public sealed record Drain
    {
        public static readonly Drain Instance = new();
    }

    public sealed record Drained
    {
        public static readonly Drained Instance = new();
    }

    private sealed record DeadLetterKept
    {
        public static readonly DeadLetterKept Instance = new();
    }

    private sealed record DeadLetterLost(string Cause);

    private sealed record Resume
    {
        public static readonly Resume Instance = new();
    }

    private sealed record Undefer
    {
        public static readonly Undefer Instance = new();
    }
}
