using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.ExceptionServices;
using ActorProfiler.Aggregator.Aggregation;
using ActorProfiler.Aggregator.Page;
using ActorProfiler.Aggregator.Pprof;
using ActorProfiler.Collector.Batching;
using ActorProfiler.Collector.Interpreters.Jit;
using ActorProfiler.Collector.Processes;
using ActorProfiler.Collector.Sampling;
using ActorProfiler.Collector.Stacks;
using ActorProfiler.Collector.Symbols;
using ActorProfiler.Collector.Symbols.Demangling;
using ActorProfiler.Telemetry;

namespace ActorProfiler.Commands.Record;

/// <summary>One run of <c>record</c>: sampling session → names → one merged profile → files. No actors, no network.</summary>
internal sealed class Recording : IAsyncDisposable
{
    private readonly RecordOptions _options;
    private static readonly TimeSpan _round = TimeSpan.FromSeconds(1);

    private readonly TimeProvider _time = TimeProvider.System;
    private readonly LossLedger _ledger = new();
    private readonly Dictionary<string, Location> _roots = new(StringComparer.Ordinal);
    private readonly ProfileWindow _window = new();
    private readonly ProcessRoots _processRoots = new();
    private readonly JitNames _jit;
    private readonly StackResolver _stacks;

    public Recording(RecordOptions options)
    {
        _options = options;
        _jit = new JitNames(JitRuntimes.All, _processRoots, _time);
        _stacks = new StackResolver(
            new SymbolCaches(SymbolOptions.Default with { Demangle = DemangleMode.Simplified }, KernelSymbols.OfThisHost(), _processRoots), _jit);
    }

    /// <exception cref="Collector.Sampling.Native.BpfException">No right to sample.</exception>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public async Task<int> RunAsync(CancellationToken cancellation)
    {
        CheckWritable(_options.Pprof);
        CheckWritable(_options.Html);
        using var files = new ElfFiles();
        var session = new SamplingSession(_options.Sampling, new RecordPolicy(), files, _jit, _time) { OnlyEntered = _options.Pids.Count > 0 };
        if (_options.Pids.FirstOrDefault(pid => !session.Processes.Want(pid)) is var missing and > 0)
        {
            session.Dispose();
            Console.Error.WriteLine($"actorprofiler: --pid {missing}: there is no such process");
            return ExitCode.Failure;
        }

        Sample(session, cancellation);
        return await WriteAsync();
    }

    /// <summary>Leaves the processes as they were found.</summary>
    public async ValueTask DisposeAsync()
    {
        await _jit.DisposeAsync();
        _processRoots.Dispose();
    }

    /// <summary>Samples on a thread of its own, which naming must not hold up, and takes the intervals as they come. Ends the session.</summary>
    private void Sample(SamplingSession session, CancellationToken cancellation)
    {
        using var intervals = new BlockingCollection<SampleInterval>();
        ExceptionDispatchInfo? failure = null;
        using (var loop = new SamplingLoop(session, _round, intervals.Add, e => failure = ExceptionDispatchInfo.Capture(e), _time))
        {
            var started = _time.GetTimestamp();
            for (var elapsed = TimeSpan.Zero;
                elapsed < _options.Duration && failure is null && !cancellation.IsCancellationRequested && AnyAlive();
                elapsed = _time.GetElapsedTime(started))
            {
                var left = _options.Duration - elapsed;
                if (intervals.TryTake(out var interval, left < _round / 4 ? left : _round / 4))
                {
                    Take(interval);
                    ShowProgress(elapsed);
                }
            }
        }

        failure?.Throw();
        while (intervals.TryTake(out var last))
        {
            Take(last);
        }

        EndProgress();
    }

    private bool AnyAlive() => _options.Pids.Count == 0 || _options.Pids.Any(pid => ProcFiles.Stat(pid) is not null);

    private void Take(SampleInterval interval)
    {
        _ledger.Enter(interval.Counts.Ticks);
        _ledger.Deliver(interval.Counts.Recorded);
        foreach (var (reason, ticks) in interval.Counts.Dropped)
        {
            _ledger.Drop(reason, ticks);
        }

        var batch = new BatchBuilder(interval.Start, interval.Duration, interval.PeriodNanos, weight: 1);
        foreach (var (raw, ticks) in interval.Stacks)
        {
            var frames = _stacks.Resolve(raw).Frames;
            batch.Add(_options.Pids.Count == 1 ? frames : [.. frames, RootOf(raw.Process)], ticks);
        }

        _stacks.EndRound();
        _window.Add(default, batch.Build());
    }

    /// <summary>With several processes in one profile each gets a root frame of its own.</summary>
    private Location RootOf(KnownProcess process)
    {
        var name = process.Image?.Comm is { Length: > 0 } comm ? comm : process.Comm;
        if (!_roots.TryGetValue(name, out var root))
        {
            root = new Location(Module: null, Address: 0, [new Line(new Function(name, name), Number: 0)], IsSymbolized: true);
            _roots.Add(name, root);
        }

        return root;
    }

    private async Task<int> WriteAsync()
    {
        var merged = _window.Flush();
        var built = new PprofBuilder(merged);
        foreach (var sample in merged.Samples)
        {
            built.Add(sample);
        }

        var profile = built.Build(merged.StartUnixNanos);
        if (_options.Pprof is { } pprof)
        {
            await File.WriteAllBytesAsync(pprof.FullName, ProfileEncoder.Compress(profile).ToArray());
            Console.WriteLine($"profile      {pprof}");
        }

        if (_options.Html is { } html)
        {
            await using var stream = html.Create();
            FlameGraphDocument.Write(stream, profile, $"actorprofiler record, {Seconds(_options.Duration)}", Facts());
            Console.WriteLine($"flame graph  {html}");
        }

        foreach (var (key, value) in Facts())
        {
            Console.WriteLine($"{key,-12} {value}");
        }

        return ExitCode.Ok;
    }

    private IReadOnlyList<(string Key, string Value)> Facts()
    {
        var (known, unknown) = _stacks.Frames;
        var dropped = string.Join(", ", _ledger.Dropped.OrderByDescending(pair => pair.Value).Select(pair => $"{pair.Key} {pair.Value}"));
        return
        [
            ("ledger", $"{_ledger.Ticks} ticks = {_ledger.Delivered} recorded + {_ledger.DroppedInAll} dropped{(dropped.Length > 0 ? $" ({dropped})" : "")}"),
            ("clock", string.Create(CultureInfo.InvariantCulture, $"{_options.Sampling.SampleRate} Hz per CPU, period {_options.Sampling.PeriodNanos} ns")),
            ("symbolized", Percentage(known, known + unknown)),
        ];
    }

    private void ShowProgress(TimeSpan elapsed)
    {
        if (Console.IsErrorRedirected)
        {
            return;
        }

        var lost = _ledger.Dropped.GetValueOrDefault(DropReasons.RingFull) + _ledger.Dropped.GetValueOrDefault(DropReasons.TooManyStacks);
        var (known, unknown) = _stacks.Frames;
        Console.Error.Write(
            $"\r{Seconds(elapsed)} of {Seconds(_options.Duration)}: {_ledger.Delivered / elapsed.TotalSeconds:F0} samples/s, {lost} lost, {Percentage(known, known + unknown)} symbolized ");
    }

    private static void EndProgress()
    {
        if (!Console.IsErrorRedirected)
        {
            Console.Error.WriteLine();
        }
    }

    private static string Seconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.#} s");

    private static string Percentage(long part, long whole) =>
        whole == 0 ? "-" : string.Create(CultureInfo.InvariantCulture, $"{100.0 * part / whole:F1} %");

    /// <summary>Tells of an unwritable file before the recording, not after it.</summary>
    private static void CheckWritable(FileInfo? file) => file?.Open(FileMode.OpenOrCreate, FileAccess.Write).Dispose();
}
