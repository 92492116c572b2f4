using ActorProfiler.Labels;
using Akka.Actor;

namespace ActorProfiler.Aggregator.Aggregation;

/// <summary>
/// Owns the open window of one series: Idle until a batch comes; Open until the window's time is over or it is large.
/// Idle for long, it asks its parent to be stopped. Closed windows and refusals go to the parent.
/// </summary>
internal sealed class SeriesActor : ReceiveActor, IWithTimers
{
    private const string Timer = "window";

    /// <summary>A window with more stacks is closed early: its profile would have to be split anyway.</summary>
    private const int SampleLimit = 64_000;

    private const int BatchLimit = 10_000;

    private readonly LabelSet _labels;
    private TimeSpan _length;
    private ProfileWindow _window = new();

    public SeriesActor(LabelSet labels, TimeSpan length)
    {
        _labels = labels;
        _length = length;
        Idle();
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(LabelSet labels, TimeSpan length) => Akka.Actor.Props.Create(() => new SeriesActor(labels, length));

    private void Idle()
    {
        Receive<AddBatch>(add =>
        {
            if (TryAdd(add))
            {
                Become(Open);
                Timers.StartSingleTimer(Timer, CloseWindow.Instance, _length);
            }
        });
        Receive<CloseWindow>(_ => { });
        Receive<SetWindow>(set => _length = set.Length);
        Receive<SeriesIdle>(idle => Context.Parent.Tell(idle));
    }

    private void Open()
    {
        Receive<AddBatch>(add =>
        {
            if (TryAdd(add) && (_window.SampleCount >= SampleLimit || _window.Batches.Count >= BatchLimit))
            {
                Close();
            }
        });
        Receive<CloseWindow>(_ => Close());
        Receive<SetWindow>(set => _length = set.Length);
        Receive<SeriesIdle>(_ => { });
    }

    private bool TryAdd(AddBatch add)
    {
        try
        {
            var batch = BatchDecoder.Decode(add.Submit);
            batch.StartUnixNanos += add.Submit.CorrectMillis * 1_000_000;
            _window.Add(add.Id, batch);
            return true;
        }
        catch (FormatException malformed)
        {
            Context.Parent.Tell(new BatchRefused(add.Id, malformed.Message));
            return false;
        }
    }

    private void Close()
    {
        var window = _window;
        _window = new ProfileWindow();
        Become(Idle);
        Timers.StartSingleTimer(Timer, new SeriesIdle(_labels), _length * 4);
        Context.Parent.Tell(new WindowClosed(_labels, window.Flush(), [.. window.Batches]));
    }
}
