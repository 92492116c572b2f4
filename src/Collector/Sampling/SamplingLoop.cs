using System.Collections.Concurrent;
using System.Globalization;
using ActorProfiler.Collector.Sampling.Native;

namespace ActorProfiler.Collector.Sampling;

/// <summary>The dedicated thread of a sampling session: waits for events, empties the ring, ends an interval when its time has come.</summary>
/// <remarks>Other threads talk to it by <see cref="Post"/>; what is posted runs between two polls.</remarks>
internal sealed class SamplingLoop : IDisposable
{
    /// <summary>The stack buffer is emptied at least this often; also how long a posted action waits at most.</summary>
    private static readonly TimeSpan _pollInterval = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan _housekeepingInterval = TimeSpan.FromSeconds(30);

    private const int Niceness = -10;

    private readonly SamplingSession _session;
    private readonly Action<SampleInterval> _onInterval;
    private readonly Action<Exception> _onFailure;
    private readonly TimeProvider _time;
    private readonly ConcurrentQueue<Action<SamplingSession>> _posted = new();
    private readonly Thread _thread;
    private TimeSpan _collectInterval;
    private long _compiledAtLastGift;
    private volatile bool _isStopping;

    /// <param name="onInterval">Called on the loop's thread with each interval, the last one included.</param>
    /// <param name="onFailure">Called once, on the loop's thread, when it ends by an exception.</param>
    public SamplingLoop(
        SamplingSession session, TimeSpan collectInterval, Action<SampleInterval> onInterval, Action<Exception> onFailure, TimeProvider time)
    {
        (_session, _collectInterval, _onInterval, _onFailure, _time) = (session, collectInterval, onInterval, onFailure, time);
        _thread = new Thread(Run) { Name = "sampling", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Runs <paramref name="action"/> on the loop's thread soon.</summary>
    public void Post(Action<SamplingSession> action) => _posted.Enqueue(action);

    /// <summary>Changes rate, options and interval. The running interval ends first, so each has one true period.</summary>
    public void Apply(SamplingOptions options, TimeSpan collectInterval) => Post(session =>
    {
        _onInterval(session.CollectBefore(options));
        session.Apply(options);
        _collectInterval = collectInterval;
    });

    /// <summary>Stops the clocks, hands over the last interval and ends the thread.</summary>
    public void Dispose()
    {
        _isStopping = true;
        if (Thread.CurrentThread != _thread)
        {
            _thread.Join();
        }

        _session.Dispose();
    }

    private void Run()
    {
        try
        {
            RaisePriority();
            _session.Start();
            Loop();
            _session.Stop();
            _onInterval(_session.Collect());
        }
#pragma warning disable CA1031 // the edge of the thread: the owner decides what a failure means
        catch (Exception failure)
#pragma warning restore CA1031
        {
            _onFailure(failure);
        }
    }

    /// <summary>
    /// Whoever is sampled must not keep the sampler from emptying its buffers. All threads are raised, and with them those they start: the runtime stops
    /// them together to collect garbage, and then one that waits for its turn on a busy host holds up this one. Without the right to it, they take their turn; a niceness
    /// that somebody gave the process stays.
    /// </summary>
    private static void RaisePriority()
    {
        if (LibC.getpriority(LibC.OfProcess, Environment.ProcessId) != 0)
        {
            return;
        }

        foreach (var thread in Directory.EnumerateDirectories("/proc/self/task"))
        {
            _ = LibC.setpriority(LibC.OfProcess, int.Parse(Path.GetFileName(thread), CultureInfo.InvariantCulture), Niceness);
        }
    }

    /// <summary>
    /// First sight of a large program needs many times the memory that stays: at the collector's low rate of allocation the next
    /// collection of that garbage would be hours away.
    /// </summary>
    private void GiveMemoryBack()
    {
        if (_session.Tables.Compiled > _compiledAtLastGift)
        {
            _compiledAtLastGift = _session.Tables.Compiled;
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }
    }

    private void Loop()
    {
        var (collected, kept) = (_time.GetTimestamp(), _time.GetTimestamp());
        while (!_isStopping)
        {
            var left = _collectInterval - _time.GetElapsedTime(collected);
            _session.Poll(left < TimeSpan.Zero ? TimeSpan.Zero : left < _pollInterval ? left : _pollInterval);
            while (_posted.TryDequeue(out var action))
            {
                action(_session);
            }

            if (_time.GetElapsedTime(collected) >= _collectInterval)
            {
                collected = _time.GetTimestamp();
                _onInterval(_session.Collect());
            }

            if (_time.GetElapsedTime(kept) >= _housekeepingInterval)
            {
                kept = _time.GetTimestamp();
                _session.FollowCpus(OnlineCpus.Read());
                _session.Processes.SweepEnded();
                GiveMemoryBack();
            }
        }
    }
}
