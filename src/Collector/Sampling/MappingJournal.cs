using System.Collections.Immutable;
using ActorProfiler.Collector.Processes;

namespace ActorProfiler.Collector.Sampling;

/// <summary>
/// What the programs executed since the start have mapped: known even when a process was gone before anyone could look at it.
/// </summary>
/// <remarks>Tells nothing of what is unmapped: a mapping stays until another takes its place. Not thread-safe.</remarks>
internal sealed class MappingJournal
{
    /// <summary>A JIT maps without end: such a process is read from /proc.</summary>
    public const int MostMappings = 1024;

    /// <summary>Programs remembered at most: of a host with more, the ones begun first are read from /proc.</summary>
    private const int MostPrograms = 32_768;

    private static readonly TimeSpan _kept = TimeSpan.FromSeconds(30);

    private readonly Dictionary<int, List<Program>> _byPid = [];
    private readonly Queue<(int Pid, Program Program)> _ended = new();
    private int _count;

    /// <summary>A process between two execs.</summary>
    private sealed class Program(ulong from, ImmutableArray<MemoryMapping> mappings)
    {
        public ulong From => from;

        public ulong Until { get; set; } = ulong.MaxValue;

        public bool IsReplaced { get; set; }

        /// <summary>By address, not overlapping; default when there are too many.</summary>
        public ImmutableArray<MemoryMapping> Mappings { get; set; } = mappings;
    }

    public int Count => _count;

    /// <summary>The executable mappings of a process's program at a time (ns, CLOCK_MONOTONIC), and those it made later.</summary>
    /// <returns>Default when the program began before this did, or is long gone.</returns>
    public ImmutableArray<MemoryMapping> Find(int pid, ulong time) => At(pid, time)?.Mappings ?? default;

    /// <summary>Whether a process has executed another program since a time, or the pid belongs to another process by now.</summary>
    public bool IsReplaced(int pid, ulong time) => At(pid, time) is { IsReplaced: true };

    /// <summary>Whether a process has executed a program after a time: <c>/proc</c> tells of that one.</summary>
    public bool BeganAfter(int pid, ulong time) => _byPid.TryGetValue(pid, out var programs) && programs[^1].From > time;

    /// <summary>Takes the next record: they must come in order of time.</summary>
    public void Add(in ProcessRecord record)
    {
        switch (record.Change)
        {
            case ProcessChange.Started:
                End(record, isReplaced: true);
                if (Current(record.Parent) is { } parent)
                {
                    Begin(record, parent.Mappings);
                }

                break;
            case ProcessChange.Executed:
                End(record, isReplaced: true);
                Begin(record, []);
                break;
            case ProcessChange.Mapped when Current(record.Pid) is { Mappings.IsDefault: false } program:
                program.Mappings = program.Mappings.Length < MostMappings ? With(program.Mappings, record.Mapping) : default;
                break;
            case ProcessChange.Ended:
                // Of the main thread: others may run on.
                End(record, isReplaced: false);
                break;
            case ProcessChange.Lost:
                _byPid.Clear();
                _ended.Clear();
                _count = 0;
                break;
        }
    }

    /// <summary>Forgets programs that ended a while ago.</summary>
    /// <param name="now">ns, CLOCK_MONOTONIC.</param>
    public void Forget(ulong now)
    {
        while (_ended.TryPeek(out var oldest) && oldest.Program.Until + (ulong)_kept.TotalNanoseconds < now)
        {
            _ended.Dequeue();
            Remove(oldest.Pid, oldest.Program);
        }
    }

    private Program? At(int pid, ulong time) =>
        _byPid.TryGetValue(pid, out var programs) ? programs.Find(program => program.From <= time && time < program.Until) : null;

    private Program? Current(int pid) =>
        _byPid.TryGetValue(pid, out var programs) && programs[^1] is { Until: ulong.MaxValue } current ? current : null;

    private void Begin(in ProcessRecord record, ImmutableArray<MemoryMapping> mappings)
    {
        if (_count >= MostPrograms)
        {
            return;
        }

        if (!_byPid.TryGetValue(record.Pid, out var programs))
        {
            _byPid.Add(record.Pid, programs = []);
        }

        programs.Add(new Program(record.Time, mappings));
        _count++;
    }

    private void End(in ProcessRecord record, bool isReplaced)
    {
        if (Current(record.Pid) is { } current)
        {
            (current.Until, current.IsReplaced) = (record.Time, isReplaced);
            _ended.Enqueue((record.Pid, current));
        }
    }

    private void Remove(int pid, Program program)
    {
        var programs = _byPid[pid];
        programs.Remove(program);
        _count--;
        if (programs.Count == 0)
        {
            _byPid.Remove(pid);
        }
    }

    /// <summary>The mappings with a further one, which takes the place of what was there.</summary>
    private static ImmutableArray<MemoryMapping> With(ImmutableArray<MemoryMapping> mappings, in MemoryMapping added)
    {
        if (added.End <= added.Start)
        {
            return mappings;
        }

        var result = ImmutableArray.CreateBuilder<MemoryMapping>(mappings.Length + 2);
        var isPlaced = false;
        foreach (var old in mappings)
        {
            if (old.Start < added.Start)
            {
                result.Add(old with { End = Math.Min(old.End, added.Start) });
            }

            if (!isPlaced && old.End > added.Start)
            {
                result.Add(added);
                isPlaced = true;
            }

            if (old.End > added.End)
            {
                var start = Math.Max(old.Start, added.End);
                result.Add(old with { Start = start, FileOffset = old.FileOffset + (start - old.Start) });
            }
        }

        if (!isPlaced)
        {
            result.Add(added);
        }

        return result.ToImmutable();
    }
}
