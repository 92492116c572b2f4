using System.Collections.Immutable;
using System.Diagnostics;
using ActorProfiler.Aggregator.Aggregation;
using ActorProfiler.Aggregator.Pprof;
using Akka.Actor;
using Akka.Event;

namespace ActorProfiler.Aggregator.Outbox;

/// <summary>
/// Writes the outbox: Idle until there is a change; Committing while one commit runs, which takes along all changes that came
/// meanwhile; Waiting for a while after a failed one. Who sent a window's profiles hears <see cref="BatchesStored"/> after the commit.
/// </summary>
internal sealed partial class OutboxActor : ReceiveActor, IWithTimers
{
    private readonly ProfileOutbox _outbox;
    private readonly OutboxOptions _options;
    private readonly AggregatorMetrics _metrics;
    private readonly Dictionary<string, IActorRef> _subscribers = new(StringComparer.Ordinal);
    private readonly List<IActorRef> _flushers = [];
    private readonly List<Subscribe> _subscribing = [];
    private List<Change> _waiting = [];
    private List<Change> _committing = [];
    private bool _swept;

    public OutboxActor(ProfileOutbox outbox, OutboxOptions options, AggregatorMetrics metrics)
    {
        _outbox = outbox;
        _options = options;
        _metrics = metrics;
        Idle();
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(ProfileOutbox outbox, OutboxOptions options, AggregatorMetrics metrics) =>
        Akka.Actor.Props.Create(() => new OutboxActor(outbox, options, metrics));

    protected override void PreStart() => Timers.StartPeriodicTimer(nameof(Sweep), Sweep.Instance, TimeSpan.Zero, _options.SweepEvery);

    // Windows not committed are given up, for one of them may be the cause: no collector may wait for them for ever.
    protected override void PreRestart(Exception reason, object message)
    {
        foreach (var change in _committing.Concat(_waiting))
        {
            if (change.What is OutboxChange.Append append)
            {
                change.From.Tell(new BatchesLost(append.Batches, "outbox_failed"));
            }
            else
            {
                Self.Tell(change.What, change.From);
            }
        }

        // The mailbox outlives the instance: the next one begins with what this one knew.
        foreach (var (destination, actor) in _subscribers)
        {
            Self.Tell(new Subscribe(destination, actor));
        }

        base.PreRestart(reason, message);
    }

    private void Idle()
    {
        Receive<Sweep>(_ => RunSweep());
        Receive<Subscribe>(Add);
        Receive<Unsubscribe>(gone => _subscribers.Remove(gone.Destination));
        Receive<Flush>(_ => Sender.Tell(Flushed.Instance));
        Changes(() =>
        {
            Become(Committing);
            Commit();
        });
    }

    private void Committing()
    {
        Receive<Committed>(done =>
        {
            Tell(done);
            _committing = [];
            Continue();
        });
        Receive<Failed>(failed =>
        {
            if (failed.Cause is not IOException)
            {
                throw new InvalidOperationException("commit to the outbox", failed.Cause);
            }

            Context.GetLogger().Warning("commit {Changes} changes to the outbox: {Cause}; trying again", _committing.Count, failed.Cause.Message);
            _metrics.CommitFailures.Inc();
            _options.Health.Report("outbox disk", $"{failed.Cause.Message}; nothing is acknowledged until it can be written");
            _waiting.InsertRange(0, _committing);
            _committing = [];
            Become(Waiting);
            Timers.StartSingleTimer(nameof(Retry), Retry.Instance, _options.RetryAfter);
        });
        Pausing();
    }

    private void Waiting()
    {
        Receive<Retry>(_ =>
        {
            Become(Committing);
            Commit();
        });
        Pausing();
    }

    // The connection is the commit's as long as it runs.
    private void Pausing()
    {
        Receive<Sweep>(_ => _swept = true);
        Receive<Subscribe>(subscribe => _subscribing.Add(subscribe));
        Receive<Unsubscribe>(gone =>
        {
            _subscribers.Remove(gone.Destination);
            _subscribing.RemoveAll(waiting => waiting.Destination == gone.Destination);
        });
        Receive<Flush>(_ => _flushers.Add(Sender));
        Changes(() => { });
    }

    private void Changes(Action then)
    {
        void Take(OutboxChange change)
        {
            _waiting.Add(new Change(change, Sender));
            then();
        }

        Receive<ProfilesEncoded>(encoded => Take(new OutboxChange.Append(encoded.Parts, encoded.Batches)));
        Receive<OutboxChange>(Take);
    }

    private void Continue()
    {
        _subscribing.ForEach(Add);
        _subscribing.Clear();
        if (_waiting.Count > 0)
        {
            Commit();
            return;
        }

        Become(Idle);
        _flushers.ForEach(flusher => flusher.Tell(Flushed.Instance));
        _flushers.Clear();
        if (_swept)
        {
            _swept = false;
            RunSweep();
        }
    }

    private void Commit()
    {
        (_committing, _waiting) = (_waiting, []);
        var changes = _committing.ConvertAll(change => change.What);
        var started = Stopwatch.GetTimestamp();
        Task.Run(() => _outbox.Commit(changes)).PipeTo(
            Self,
            success: added => new Committed(added, Stopwatch.GetElapsedTime(started)),
            failure: cause => new Failed(cause));
    }

    /// <summary>Tells <see cref="ProfilesStored"/> and <see cref="ProfilesOverdue"/> of a destination to its actor from now on.</summary>
    public sealed record Subscribe(string Destination, IActorRef Actor);

    /// <summary>The destination is no more: what waits for it is dropped when it is overdue.</summary>
    public sealed record Unsubscribe(string Destination);

    /// <summary>Answered with <see cref="Flushed"/> when every change so far is on disk.</summary>
    public sealed record Flush
    {
        public static readonly Flush Instance = new();
    }

    public sealed record Flushed
    {
        public static readonly Flushed Instance = new();
    }

    private sealed record Change(OutboxChange What, IActorRef From);

    private sealed record Committed(IReadOnlyDictionary<string, ImmutableArray<OutboxEntry>> Added, TimeSpan Elapsed);

    private sealed record Failed(Exception Cause);

    private sealed record Retry
    {
        public static readonly Retry Instance = new();
    }

    private sealed record Sweep
    {
        public static readonly Sweep Instance = new();
    }
}
