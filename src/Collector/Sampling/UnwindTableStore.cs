using System.Runtime.InteropServices;
using ActorProfiler.Collector.Processes;
using ActorProfiler.Collector.Sampling.Native;
using ActorProfiler.Collector.Unwinding;

namespace ActorProfiler.Collector.Sampling;

/// <summary>Puts unwind tables and the mappings of processes where the BPF programs find them.</summary>
/// <remarks>
/// Executables are shared by content over processes and containers. When the budget is used up, the table unused for
/// longest makes room; a process whose mappings find no room is walked by frame pointers. Not thread-safe.
/// </remarks>
internal sealed class UnwindTableStore : IDisposable
{
    private readonly UnwindShards _shards;
    private readonly MappedValues _ruleMemory;
    private readonly InstalledTables _installed;

    public UnwindTableStore(BpfObject programs, int mostShards, TimeProvider time)
    {
        _shards = new UnwindShards(programs.Map("shards"), mostShards);
        Executables = new ExecutableTables(programs.Map("executables"), _shards, Rules);
        _ruleMemory = new MappedValues(programs.Map("rules").File, UnwindRules.Limit * (nuint)Marshal.SizeOf<UnwindRule>());
        _installed = new InstalledTables(_shards, Executables, Rules, _ruleMemory, time);
    }

    /// <summary>The rows of one process, to be named in its entry of map <c>processes</c>.</summary>
    internal sealed record PlacedMappings(ShardRange Range, uint Rows, IReadOnlyList<InstalledTable> Tables)
    {
        /// <summary>The table that is this process's alone.</summary>
        public IReadOnlyList<TablePiece> Own { get; init; } = [];

        public uint FirstRow => Range.Start * sizeof(uint) / (uint)Marshal.SizeOf<MappingRow>();
    }

    /// <summary>The rows of a process as they are, and the tables they name, which stay while someone holds them.</summary>
    private sealed record BuiltRows(List<MappingRow> Rows, List<InstalledTable> Tables);

    public ExecutableTables Executables { get; }

    public int ExecutableCount => _installed.Count;

    public int ShardCount => _shards.Count;

    /// <summary>Executables whose tables were compiled, since the start.</summary>
    public long Compiled => _installed.Compiled;

    /// <summary>Executables that got no table, by reason, since the start: they are walked by frame pointers.</summary>
    public IReadOnlyDictionary<string, long> Refused => _installed.Refused;

    /// <summary>Called before each file that takes a while to compile, so that what must not wait is seen to.</summary>
    public Action? BeforeInstalling
    {
        get => _installed.BeforeInstalling;
        set => _installed.BeforeInstalling = value;
    }

    /// <summary>The numbers of all rules in the tables.</summary>
    public UnwindRules Rules { get; } = new();

    /// <summary>Installs the tables of all files of <paramref name="image"/> and its rows. Null when there is no room for the rows.</summary>
    /// <param name="generated">The table of code that the process has made in memory without a file, by its own addresses.</param>
    public PlacedMappings? Place(ProcessImage image, UnwindTable? generated = null)
    {
        var own = generated is null ? [] : _installed.Install(generated);
        var (rows, tables) = Build(image, own);
        tables.ForEach(installed => installed.Users++);

        const int MostRows = 4096;
        if (rows.Count is 0 or > MostRows || _installed.TakeRoom((uint)(rows.Count * Marshal.SizeOf<MappingRow>() / sizeof(uint))) is not { } range)
        {
            tables.ForEach(installed => installed.Users--);
            _installed.Retire(own);
            return null;
        }

        MemoryMarshal.Cast<MappingRow, uint>(CollectionsMarshal.AsSpan(rows)).CopyTo(_shards[range]);
        return new PlacedMappings(range, (uint)rows.Count, tables) { Own = own };
    }

    /// <summary>The rows of <paramref name="image"/> for <see cref="ExecutableTables.FindRule"/>, by address; valid until tables are asked for again.</summary>
    public MappingRow[] RowsOf(ProcessImage image) => [.. Build(image, []).Rows];

    /// <summary>Takes a process's rows back. The entry that named them must be gone from map <c>processes</c>.</summary>
    public void Release(PlacedMappings placed)
    {
        _shards.Retire(placed.Range);
        _installed.Retire(placed.Own);
        foreach (var installed in placed.Tables)
        {
            installed.Users--;
        }
    }

    /// <summary>
    /// To be called when no BPF program that ran before runs any more: what was given back is free. Lets go of files that are
    /// closed and have no build id, since nothing can ask for their tables again.
    /// </summary>
    public void Reclaim()
    {
        _shards.Reclaim();
        Executables.Reclaim();
        _installed.ForgetClosed();
    }

    public void Dispose()
    {
        _shards.Dispose();
        _ruleMemory.Dispose();
    }

    private BuiltRows Build(ProcessImage image, IReadOnlyList<TablePiece> own)
    {
        var built = new BuiltRows(new List<MappingRow>(image.Mappings.Length), []);
        foreach (var mapped in image.Mappings)
        {
            // The vsyscall page: the kernel's programs compare signed numbers, by which it would come before all others.
            if (mapped.Mapping.Start > long.MaxValue)
            {
                continue;
            }

            var installed = mapped.File is null ? null : _installed.For(mapped.File);
            if (installed is { Pieces.Count: > 0 })
            {
                built.Tables.Add(installed);
            }

            MappingRow.Add(built.Rows, mapped, mapped.File is null ? own : installed?.Pieces ?? []);
        }

        return built;
    }
}
