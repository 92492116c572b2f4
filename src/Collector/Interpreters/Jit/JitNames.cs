using System.Collections.Concurrent;
using System.Net.Sockets;
using ActorProfiler.Collector.Processes;

namespace ActorProfiler.Collector.Interpreters.Jit;

/// <summary>Has the JIT runtimes of sampled processes write the names of their code, and tidies up at the end.</summary>
/// <remarks>
/// Thread-safe. The asking goes on in the background: a process that does not answer delays nobody. A snapshot is asked for again
/// when unknown code is met, after a pause that doubles: a process that starts compiles much, and each snapshot costs it time. So is a
/// process that was not ready, or whose names another collector of the host switched off. Names that were on when this came stay on.
/// </remarks>
/// <param name="runtimes">Those that are asked until <see cref="UseAsync"/> says otherwise.</param>
internal sealed class JitNames(IReadOnlyList<IJitRuntime> runtimes, TimeProvider time) : IAsyncDisposable
{
    public static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(5);
    private const int MostProcesses = 4096;

    private readonly ConcurrentDictionary<ProcessIdentity, Asked> _asked = new();
    private volatile IReadOnlyList<IJitRuntime> _runtimes = runtimes;
    private readonly CancellationTokenSource _stopped = new();

    private sealed class Asked(IJitRuntime runtime, ProcessImage image)
    {
        public IJitRuntime Runtime => runtime;

        public ProcessImage Image => image;

        public Task Work { get; set; } = Task.CompletedTask;

        public long At { get; set; }

        public TimeSpan Pause { get; set; } = ShortestPause;

        /// <summary>Names are on because this asked for them.</summary>
        public bool IsOurs { get; set; }
    }

    /// <summary>Processes that agreed or had their names on, and those that did not, by <c>runtime_reason</c>, since the start.</summary>
    public ConcurrentDictionary<string, long> Outcomes { get; } = new(StringComparer.Ordinal);

    /// <summary>Looks at a process that was read; asks its runtime, once.</summary>
    public void OnRead(ProcessImage image)
    {
        if (_asked.ContainsKey(image.Identity) || _asked.Count >= MostProcesses || _runtimes.FirstOrDefault(runtime => runtime.IsIn(image)) is not { } runtime)
        {
            return;
        }

        var asked = new Asked(runtime, image);
        if (_asked.TryAdd(image.Identity, asked))
        {
            Ask(asked);
        }
    }

    /// <summary>Asks only these runtimes from now on. Returns when processes of the others are as they were found.</summary>
    public async Task UseAsync(IReadOnlyList<IJitRuntime> wanted)
    {
        _runtimes = wanted;
        foreach (var (process, asked) in _asked)
        {
            if (!wanted.Contains(asked.Runtime) && _asked.TryRemove(process, out _))
            {
                await LeaveAsync(asked).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Code without a name was met: asks again where that can bring names.</summary>
    public void OnUnknownCode(ProcessIdentity process)
    {
        if (_asked.TryGetValue(process, out var asked) && asked.Work.IsCompleted && time.GetElapsedTime(asked.At) >= asked.Pause)
        {
            asked.Pause = asked.Pause * 2 < LongestPause ? asked.Pause * 2 : LongestPause;
            Ask(asked);
        }
    }

    /// <summary>The process has ended.</summary>
    public void Forget(ProcessIdentity process) => _asked.TryRemove(process, out _);

    /// <summary>Switches off what was switched on in processes that still run.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopped.CancelAsync();
        foreach (var asked in _asked.Values)
        {
            await LeaveAsync(asked);
        }

        _stopped.Dispose();
    }

    private async Task LeaveAsync(Asked asked)
    {
        await asked.Work.ConfigureAwait(false);
        if (asked.IsOurs && ProcFiles.IsStill(asked.Image.Identity))
        {
            using var patience = new CancellationTokenSource(_patience, time);
            await Guarded(() => asked.Runtime.DisableAsync(asked.Image, patience.Token)).ConfigureAwait(false);
        }
    }

    private void Ask(Asked asked)
    {
        asked.At = time.GetTimestamp();
        asked.Work = Task.Run(async () =>
        {
            using var patience = new CancellationTokenSource(_patience, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, _stopped.Token);
            var (isOn, reason) = (false, "unreachable");
            await Guarded(async () =>
            {
                isOn = asked.Runtime.IsOn(asked.Image);
                reason = isOn && !asked.Runtime.IsSnapshot ? "" : await asked.Runtime.EnableAsync(asked.Image, either.Token);
            });
            asked.IsOurs |= reason.Length == 0 && !isOn;
            Outcomes.AddOrUpdate(asked.Runtime.Name + (reason.Length == 0 ? "" : "_" + reason), 1, (_, before) => before + 1);
        });
    }

    /// <summary>Lets the failures of the world pass: the caller sees that nothing was achieved.</summary>
    private static async Task Guarded(Func<Task> action)
    {
        try
        {
            await action();
        }
        catch (Exception failure) when (failure is SocketException or IOException or OperationCanceledException or UnauthorizedAccessException)
        {
            _ = failure;
        }
    }
}
