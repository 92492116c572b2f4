using System.Runtime.InteropServices;
using ActorProfiler.Collector.Interpreters.Jit;
using ActorProfiler.Collector.Processes;
using ActorProfiler.Collector.Sampling.Native;

namespace ActorProfiler.Collector.Sampling;

/// <summary>The loaded BPF programs, their clocks and buffers: turns ticks into <see cref="SampleInterval"/>s.</summary>
/// <remarks>One thread at a time; it must call <see cref="Poll"/> every second, so that the stack buffer does not fill.</remarks>
internal sealed class SamplingSession : IDisposable
{
    /// <summary>How often it looks for a table that is being made.</summary>
    private static readonly TimeSpan _tablePoll = TimeSpan.FromMilliseconds(20);

    /// <summary>How long an interval waits for names of the functions that it saw first.</summary>
    private static readonly TimeSpan _namePatience = TimeSpan.FromMilliseconds(100);

    private readonly TimeProvider _time;
    private readonly BpfObject _programs;
    private readonly List<BpfLinkHandle> _tracepoints = [];
    private readonly SamplingClocks _clocks;
    private readonly MappedValues _settings;
    private readonly RingBuffer _stackRing;
    private readonly RingBuffer _copyRing;
    private readonly RingBuffer _eventRing;
    private readonly ProcessRecords _records;
    private readonly StackCopies _copies;
    private readonly StackTable _stacks;
    private readonly ProcessInterpreters _interpreters;
    private readonly TallyReader _tally;
    private readonly TickCounts _counts;
    private readonly Queue<ProcessEvent> _announced = new();
    private readonly Queue<ProcessEvent> _happened = new();
    private readonly ElfFiles _files;
    private SamplingOptions _options;
    private long _eventsLost;
    private long _intervalStamp;
    private DateTimeOffset _intervalStart;

    /// <summary>Loads the programs. Nothing is sampled before <see cref="Start"/>.</summary>
    /// <exception cref="BpfException">Rights are missing, the kernel is too old, or memory is short.</exception>
    public SamplingSession(
        SamplingOptions options, IProcessPolicy policy, ElfFiles files, JitNames jit, TimeProvider time, int tableShards = 16)
    {
        _options = options;
        _files = files;
        _time = time;
        _programs = SamplingPrograms.Load(options);
        try
        {
            Tables = new UnwindTableStore(_programs, tableShards, time);
            _interpreters = new ProcessInterpreters(_programs.Map("pythons"), _programs.Map("v8s"), jit, Tables.Rules, time) { Options = options };
            var journal = new MappingJournal();
            _records = new ProcessRecords(journal, time) { OnMapped = (pid, mapping) => Processes?.OnMapped(pid, mapping) };
            var entries = new ProcessEntries(_programs.Map("processes"), Tables, _interpreters, time);
            Processes = new ProcessTable(entries, new ProcessReader(files, journal), files, policy, _interpreters, time);
            _stacks = new StackTable(Processes.Of, new PythonNames(_programs.Map("python_names")).Read, _interpreters.JavaScript, _interpreters.Java);
            _copies = new StackCopies(Processes, Tables, _stacks);
            _tally = new TallyReader(_programs.Map("tallies"), LibBpf.libbpf_num_possible_cpus());
            _counts = new TickCounts(_programs);
            _stackRing = new RingBuffer("stacks", _programs.Map("stacks"), _stacks.Add);
            _copyRing = new RingBuffer("copies", _programs.Map("copies"), _copies.Add);
            _eventRing = new RingBuffer("events", _programs.Map("events"), bytes => _announced.Enqueue(MemoryMarshal.Read<ProcessEvent>(bytes)));
            Tables.BeforeInstalling = EmptyStacks;
            _settings = new MappedValues(_programs.Map(".bss").File, (nuint)Marshal.SizeOf<Settings>());
            _clocks = new SamplingClocks(_programs, "sample");
            WriteSettings();
            _records.Follow(OnlineCpus.Read());
            _tracepoints.Add(_programs.Attach("on_exec"));
            _tracepoints.Add(_programs.Attach("on_exit"));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public ProcessTable Processes { get; }

    public UnwindTableStore Tables { get; }

    public int ClockCount => _clocks.Count;

    /// <summary>Profiles only processes entered by pid.</summary>
    public bool OnlyEntered { get; init; }

    /// <summary>Starts the sampling clocks.</summary>
    public void Start()
    {
        WriteSettings();
        _clocks.Start(_options.PeriodNanos);
        BeginInterval();
    }

    /// <summary>Stops the clocks: no tick comes after this. <see cref="Collect"/> then gives the rest.</summary>
    public void Stop() => _clocks.Stop();

    /// <summary>Ends the interval before <see cref="Apply"/>.</summary>
    /// <remarks>Where another rate is to come the clocks stop first, so that each tick is collected with the period of the clock that made it.</remarks>
    public SampleInterval CollectBefore(SamplingOptions options)
    {
        var clocks = _clocks.Count;
        if (options.SampleRate != _options.SampleRate)
        {
            Stop();
        }

        var last = Collect();
        return last with { State = last.State with { Clocks = clocks } };
    }

    /// <summary>Takes over new options. A new rate begins with a new interval, so <see cref="CollectBefore"/> this.</summary>
    public void Apply(SamplingOptions options)
    {
        var isNewRate = options.SampleRate != _options.SampleRate;
        _options = options;
        WriteSettings();
        var before = _interpreters.Options;
        _interpreters.Options = options;
        if ((before.Python, before.V8, before.HotSpot) != (options.Python, options.V8, options.HotSpot))
        {
            Processes.Reconsider();
        }

        if (isNewRate)
        {
            Start();
        }
    }

    /// <summary>Has a clock on each of these CPUs and on no other: they come and go.</summary>
    public void FollowCpus(IReadOnlyList<int> online)
    {
        _clocks.Follow(online);
        _records.Follow(online);
    }

    /// <summary>Waits for something urgent (a process not seen before), sees to it, and empties the stack buffer.</summary>
    public void Poll(TimeSpan timeout)
    {
        _eventRing.Poll(_interpreters.ExpectsTable && timeout > _tablePoll ? _tablePoll : timeout);
        TakeRecords();
        Processes.TakeTables();
        Processes.ReadReplaced();
        while (_happened.TryDequeue(out var happened))
        {
            // Compiling the tables of a large program takes a while: nothing else may be lost meanwhile.
            Processes.On(happened);
            _eventRing.Consume();
            TakeRecords();
        }

        // Twice: what found no room the first time.
        _copies.Walk();
        _copyRing.Consume();
        _copies.Walk();
    }

    /// <summary>Ends the interval: all that was counted since the last call.</summary>
    public SampleInterval Collect()
    {
        var (start, stamp, period) = (_intervalStart, _intervalStamp, _options.PeriodNanos);
        _counts.Switch(); // the ring then holds all stacks of the interval
        BeginInterval();
        Tables.Reclaim();
        Poll(TimeSpan.Zero);

        _counts.Take();
        var joined = new List<CountedStack>(_counts.Hashes.Length);
        var refused = _stacks.Refused;
        var orphans = _stacks.Join(_counts.Hashes, _counts.Ticks, joined);
        Processes.EndRound();
        _interpreters.EndRound(_namePatience);
        var isTableFull = _stacks.Count >= StackTable.MostStacks;
        var tally = _tally.ReadIncrease();
        _eventsLost += (long)tally.EventsLost;
        var counts = IntervalCounts.Of(tally, joined, isTableFull ? 0 : orphans, refused + (isTableFull ? orphans : 0));
        return new SampleInterval(start, _time.GetElapsedTime(stamp, _intervalStamp), period, joined, counts, State());
    }

    public void Dispose()
    {
        _clocks?.Dispose();
        _tracepoints.ForEach(link => link.Dispose());
        _settings?.Dispose();
        _records?.Dispose();
        _stackRing?.Dispose();
        _copyRing?.Dispose();
        _eventRing?.Dispose();
        Tables?.Dispose();
        _programs.Dispose();
    }

    private void WriteSettings()
    {
        _settings.AsSpan<Settings>()[0] = new Settings
        {
            CollectUser = _options.CollectUser ? 1u : 0,
            CollectKernel = _options.CollectKernel ? 1u : 0,
            KernelThreads = _options.KernelThreads ? 1u : 0,
            IgnoreUnknown = OnlyEntered ? 1u : 0,
        };
    }

    private void BeginInterval()
    {
        _intervalStamp = _time.GetTimestamp();
        _intervalStart = _time.GetUtcNow();
    }

    /// <summary>Empties the buffers. What they announce is read at once: it may be gone soon.</summary>
    private void TakeRecords()
    {
        EmptyStacks();
        _records.Read();
        while (_announced.TryDequeue(out var happened))
        {
            Processes.ReadEarly(happened);
            _happened.Enqueue(happened);
        }
    }

    private void EmptyStacks()
    {
        _stackRing.Consume();
        if (_copies.HasRoom)
        {
            _copyRing.Consume();
        }
    }

    private SessionState State() => new(
        _clocks.Count,
        Processes.Running,
        Tables.ExecutableCount,
        Tables.ShardCount * (long)UnwindShards.Words * sizeof(uint),
        Processes.Missed,
        _eventsLost,
        _interpreters.Unread,
        _files.Refusals,
        Tables.Refused);
}
