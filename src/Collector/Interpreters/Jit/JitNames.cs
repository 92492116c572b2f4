using System.Collections.Concurrent;
using System.Net.Sockets;
using ActorProfiler.Collector.Elf;
using ActorProfiler.Collector.Processes;

namespace ActorProfiler.Collector.Interpreters.Jit;

/// <summary>Has the JIT runtimes of sampled processes write the names of their code, and tidies up at the end.</summary>
/// <remarks>
/// Thread-safe. The asking goes on in the background: a process that does not answer delays nobody. A snapshot is asked for again
/// when unknown code is met, after a pause that doubles: a process that starts compiles much, and each snapshot costs it time. So is a
/// process that was not ready, or whose names another collector of the host switched off. Names that were on when this came stay on.
/// The files of a process that has ended are removed when it is forgotten: until then they are read.
/// </remarks>
/// <param name="runtimes">Those that are asked until <see cref="UseAsync"/> says otherwise.</param>
/// <param name="roots">Of the processes with generated code; this holds and releases them.</param>
internal sealed class JitNames(IReadOnlyList<IJitRuntime> runtimes, ProcessRoots roots, TimeProvider time) : IAsyncDisposable
{
    public static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _pauseAtStart = TimeSpan.FromMilliseconds(20);
    private const int AttemptsAtStart = 25;
    private const int MostProcesses = 4096;
    private const string Unreachable = "unreachable";

    private readonly ConcurrentDictionary<ProcessIdentity, Asked> _asked = new();
    private volatile IReadOnlyList<IJitRuntime> _runtimes = runtimes;
    private readonly CancellationTokenSource _stopped = new();
    private Task _tidying = Task.CompletedTask;

    private sealed class Asked(IJitRuntime runtime, ProcessImage image)
    {
        public IJitRuntime Runtime => runtime;

        public ProcessImage Image => image;

        public Task Work { get; set; } = Task.CompletedTask;

        public long At { get; set; }

        public TimeSpan Pause { get; set; } = ShortestPause;

        /// <summary>Names are on because this asked for them.</summary>
        public bool IsOurs { get; set; }

        /// <summary>It was asked, and did not say no before it ended.</summary>
        public bool MayHaveWritten { get; set; }
    }

    /// <summary>Processes that agreed or had their names on, and those that did not, by <c>runtime_reason</c>, since the start.</summary>
    public ConcurrentDictionary<string, long> Outcomes { get; } = new(StringComparer.Ordinal);

    /// <summary>Looks at a process that was read; asks its runtime, once.</summary>
    public void OnRead(ProcessImage image)
    {
        if (image.HasGeneratedCode)
        {
            roots.Hold(image.Identity);
        }

        if (_asked.ContainsKey(image.Identity) || _asked.Count >= MostProcesses || _runtimes.FirstOrDefault(runtime => runtime.IsIn(image)) is not { } runtime)
        {
            return;
        }

        var asked = new Asked(runtime, image);
        if (_asked.TryAdd(image.Identity, asked))
        {
            roots.Hold(image.Identity);
            Ask(asked, isFirst: true);
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

    /// <summary>The process has ended, and nothing of it is to be named any more.</summary>
    public void Forget(ProcessIdentity process)
    {
        if (_asked.TryRemove(process, out var asked))
        {
            var left = LeaveAsync(asked);
            _tidying = _tidying.IsCompleted ? left : Task.WhenAll(_tidying, left);
        }
        else
        {
            roots.Release(process);
        }
    }

    /// <summary>Switches off what was switched on in processes that still run, and removes the files of those that do not.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopped.CancelAsync();
        foreach (var asked in _asked.Values)
        {
            await LeaveAsync(asked);
        }

        await _tidying;
        _stopped.Dispose();
    }

    private async Task LeaveAsync(Asked asked)
    {
        await asked.Work.ConfigureAwait(false);
        var isRunning = ProcFiles.IsStill(asked.Image.Identity);
        if (asked.IsOurs && isRunning)
        {
            using var patience = new CancellationTokenSource(_patience, time);
            await Guarded(() => asked.Runtime.DisableAsync(asked.Image, patience.Token)).ConfigureAwait(false);
        }

        if (asked.IsOurs || (asked.MayHaveWritten && !isRunning))
        {
            asked.IsOurs = false;
            await Task.Run(() => RemoveFiles(asked)).ConfigureAwait(false);
        }

        roots.Release(asked.Image.Identity);
    }

    /// <summary>Where a later program of the same pid writes its names by now, they are left to that one.</summary>
    private void RemoveFiles(Asked asked)
    {
        if (_asked.Values.Any(other => other != asked && other.IsOurs && other.Image.PerfMapName == asked.Image.PerfMapName))
        {
            return;
        }

        using var root = roots.Open(asked.Image.Identity);
        using var folder = root is null ? null : ForeignFolder.Under(root, ProcessSocket.Folder);
        foreach (var file in asked.Runtime.FilesOf(asked.Image))
        {
            folder?.Remove(file);
        }
    }

    /// <param name="isFirst">A process that has just started opens its port any moment, and may have ended before it is asked again.</param>
    private void Ask(Asked asked, bool isFirst = false)
    {
        asked.At = time.GetTimestamp();
        asked.Work = Task.Run(async () =>
        {
            using var patience = new CancellationTokenSource(_patience, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, _stopped.Token);
            var reason = await AskOnceAsync(asked, either.Token);
            for (var left = isFirst ? AttemptsAtStart : 0; left > 0 && reason.Length > 0 && ProcFiles.IsStill(asked.Image.Identity); left--)
            {
                await Guarded(() => Task.Delay(_pauseAtStart, time, either.Token));
                reason = either.IsCancellationRequested ? reason : await AskOnceAsync(asked, either.Token);
            }

            Outcomes.AddOrUpdate(asked.Runtime.Name + (reason.Length == 0 ? "" : "_" + reason), 1, (_, before) => before + 1);
        });
    }

    /// <returns>As <see cref="IJitRuntime.EnableAsync"/>.</returns>
    private static async Task<string> AskOnceAsync(Asked asked, CancellationToken cancellation)
    {
        var (isOn, reason) = (false, Unreachable);
        await Guarded(async () =>
        {
            isOn = asked.Runtime.IsOn(asked.Image);
            reason = isOn && !asked.Runtime.IsSnapshot ? "" : await asked.Runtime.EnableAsync(asked.Image, cancellation);
        });
        asked.IsOurs |= reason.Length == 0 && !isOn;
        asked.MayHaveWritten |= reason == Unreachable && !isOn;
        return reason;
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
