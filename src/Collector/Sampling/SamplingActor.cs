using Akka.Actor;
using Akka.Event;

namespace ActorProfiler.Collector.Sampling;

/// <summary>
/// Owns the sampling session. Starting until the programs are loaded; Sampling while the loop runs; Backoff after a failure, then
/// Starting again. Each interval goes to the next stage as one message.
/// </summary>
internal sealed class SamplingActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan _backoff = TimeSpan.FromSeconds(10);

    private readonly Func<SamplingOptions, SamplingSession> _load;
    private readonly IActorRef _next;
    private readonly TimeProvider _time;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private SamplingOptions _options;
    private TimeSpan _collectInterval;
    private readonly List<IActorRef> _startWaiters = [];
    private SamplingLoop? _loop;
    private Failed? _lastFailure;
    private bool _hasSampled;

    public SamplingActor(Configure configure, Func<SamplingOptions, SamplingSession> load, IActorRef next, TimeProvider time)
    {
        (_load, _next, _time, _options, _collectInterval) = (load, next, time, configure.Options, configure.CollectInterval);
        Starting();
    }

    /// <summary>Takes effect at once: the running interval ends first, so that each interval has one true period.</summary>
    public sealed record Configure(SamplingOptions Options, TimeSpan CollectInterval);

    /// <summary>Targets have changed: ask the policy about every running process again.</summary>
    public sealed record Reconsider;

    /// <summary>Stops sampling, hands the last interval on, and answers <see cref="Stopped"/>.</summary>
    public sealed record Stop;

    public sealed record Stopped;

    /// <summary>Answered with <see cref="Started"/>, or with <see cref="Failed"/> when the last try to load failed.</summary>
    public sealed record AwaitStart;

    public sealed record Started;

    private sealed record Start;

    /// <summary>The session ended by an exception. Told to the next stage too, which counts it.</summary>
    public sealed record Failed(Exception Cause);

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(Configure configure, Func<SamplingOptions, SamplingSession> load, IActorRef next, TimeProvider time) =>
        Akka.Actor.Props.Create(() => new SamplingActor(configure, load, next, time));

    protected override void PreStart() => Self.Tell(new Start());

    protected override void PostStop() => _loop?.Dispose();

    private void Starting()
    {
        Receive<Start>(_ => Load());
        Receive<Configure>(configure => (_options, _collectInterval) = (configure.Options, configure.CollectInterval));
        Receive<Reconsider>(_ => { }); // every process is asked about when it is met
        Receive<Failed>(_ => { }); // of a loop given up
        Receive<AwaitStart>(_ =>
        {
            _startWaiters.Add(Sender);
            if (_lastFailure is { } failure)
            {
                AnswerWaiters(failure);
            }
        });
        ReceiveStop();
    }

    private void Sampling()
    {
        Receive<Configure>(configure =>
        {
            (_options, _collectInterval) = (configure.Options, configure.CollectInterval);
            _loop?.Apply(_options, _collectInterval);
        });
        Receive<Reconsider>(_ => _loop?.Post(session => session.Processes.Reconsider()));
        Receive<Failed>(failed => BackOff(failed.Cause));
        Receive<AwaitStart>(_ => Sender.Tell(new Started()));
        ReceiveStop();
    }

    private void ReceiveStop() => Receive<Stop>(_ =>
    {
        // Ends with the loop's last interval in the next stage's mailbox, before the answer.
        _loop?.Dispose();
        _loop = null;
        Timers.CancelAll();
        Sender.Tell(new Stopped());
    });

    private void Load()
    {
        try
        {
            var self = Self;
            var next = _next;
            _loop = new SamplingLoop(
                _load(_options), _collectInterval, interval => next.Tell(interval), cause => self.Tell(new Failed(cause)), _time);
            (_lastFailure, _hasSampled) = (null, true);
            Become(Sampling);
            AnswerWaiters(new Started());
        }
        catch (Exception cause) when (cause is Native.BpfException or DllNotFoundException)
        {
            BackOff(cause);
        }
    }

    private void BackOff(Exception cause)
    {
        // A failure of the first start is for whoever awaits it.
        if (_hasSampled)
        {
            _log.Error("sampling stopped: {0}; next try in {1} s", cause.Message, _backoff.TotalSeconds);
        }

        _lastFailure = new Failed(cause);
        _next.Tell(_lastFailure);
        AnswerWaiters(_lastFailure);
        _loop?.Dispose();
        _loop = null;
        Become(Starting);
        Timers.StartSingleTimer(nameof(Start), new Start(), _backoff);
    }

    private void AnswerWaiters(object answer)
    {
        _startWaiters.ForEach(waiter => waiter.Tell(answer));
        _startWaiters.Clear();
    }
}
