using System.Runtime.InteropServices;
using ActorProfiler.Collector.Elf;
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
    private readonly UnwindRules _rules = new();
    private readonly UnwindTables _compiler;
    private readonly Dictionary<string, Installed> _byContent = new(StringComparer.Ordinal);
    private readonly Dictionary<ElfFile, Installed> _byFile = new(ReferenceEqualityComparer.Instance);
    private int _rulesWritten;
    private long _clock;

    public UnwindTableStore(BpfObject programs, int mostShards, TimeProvider time)
    {
        _compiler = new UnwindTables(_rules, time);
        _shards = new UnwindShards(programs.Map("shards"), mostShards);
        Executables = new ExecutableTables(programs.Map("executables"), _shards, _rules);
        _ruleMemory = new MappedValues(programs.Map("rules").File, UnwindRules.Limit * (nuint)Marshal.SizeOf<UnwindRule>());
    }

    private sealed record Installed(IReadOnlyList<TablePiece> Pieces, string Key, ElfFile File)
    {
        public int Users { get; set; }

        public long LastUse { get; set; }
    }

    /// <summary>The rows of one process, to be named in its entry of map <c>processes</c>.</summary>
    internal sealed record PlacedMappings(ShardRange Range, uint Rows, IReadOnlyList<object> Tables)
    {
        /// <summary>The table that is this process's alone.</summary>
        public IReadOnlyList<TablePiece> Own { get; init; } = [];

        public uint FirstRow => Range.Start * sizeof(uint) / (uint)Marshal.SizeOf<MappingRow>();
    }

    /// <summary>The rows of a process as they are, and the tables they name, which stay while someone holds them.</summary>
    private sealed record BuiltRows(List<MappingRow> Rows, List<Installed> Tables);

    public ExecutableTables Executables { get; }

    public int ExecutableCount => _byFile.Count;

    public int ShardCount => _shards.Count;

    /// <summary>Executables whose tables were compiled, since the start.</summary>
    public long Compiled { get; private set; }

    /// <summary>Executables that found no room or no table, since the start.</summary>
    public long Refused { get; private set; }

    /// <summary>Called before each file that takes a while to compile, so that what must not wait is seen to.</summary>
    public Action? BeforeInstalling { get; set; }

    /// <summary>The numbers of all rules in the tables.</summary>
    public UnwindRules Rules => _rules;

    /// <summary>Installs the tables of all files of <paramref name="image"/> and its rows. Null when there is no room for the rows.</summary>
    /// <param name="generated">The table of code that the process has made in memory without a file, by its own addresses.</param>
    public PlacedMappings? Place(ProcessImage image, UnwindTable? generated = null)
    {
        var own = generated is null ? [] : InstallTable(generated);
        var (rows, tables) = Build(image, own);
        tables.ForEach(installed => installed.Users++);

        const int MostRows = 4096;
        if (rows.Count is 0 or > MostRows || TakeRoom((uint)(rows.Count * Marshal.SizeOf<MappingRow>() / sizeof(uint))) is not { } range)
        {
            tables.ForEach(installed => installed.Users--);
            Retire(own);
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
        Retire(placed.Own);
        foreach (var installed in placed.Tables.Cast<Installed>())
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
        foreach (var orphan in _byFile.Values.Where(installed => installed.Users == 0 && installed.Key.Length == 0 && installed.File.IsClosed).ToList())
        {
            Evict(orphan);
        }
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
            var installed = mapped.File is null ? null : InstalledFor(mapped.File);
            if (installed is { Pieces.Count: > 0 })
            {
                built.Tables.Add(installed);
            }

            MappingRow.Add(built.Rows, mapped, mapped.File is null ? own : installed?.Pieces ?? []);
        }

        return built;
    }

    private Installed InstalledFor(ElfFile file)
    {
        if (!_byFile.TryGetValue(file, out var installed)
            && (file.ContentKey.Length == 0 || !_byContent.TryGetValue(file.ContentKey, out installed)))
        {
            BeforeInstalling?.Invoke();
            installed = Install(file);
            _byFile[file] = installed;
            if (file.ContentKey.Length > 0)
            {
                _byContent[file.ContentKey] = installed;
            }
        }

        installed.LastUse = ++_clock;
        return installed;
    }

    private Installed Install(ElfFile file)
    {
        Compiled++;
        return new Installed(Compile(file) is { } table ? InstallTable(table) : [], file.ContentKey, file);
    }

    private List<TablePiece> InstallTable(UnwindTable table)
    {
        WriteNewRules();
        var pieces = new List<TablePiece>();
        for (var page = 0; page < table.Pages.Length - 1;)
        {
            var pages = PagesThatFit(table, page);
            if (InstallPiece(table, page, pages) is not { } piece)
            {
                Refused++;
                break;
            }

            pieces.Add(piece);
            page += pages;
        }

        return pieces;
    }

    /// <summary>A file that cannot be compiled, or takes too much, is walked by frame pointers from then on: it is not tried again.</summary>
    private UnwindTable? Compile(ElfFile file)
    {
        try
        {
            return _compiler.Compile(file);
        }
        catch (Exception e) when (e is FormatException or IOException)
        {
            Refused++;
            return null;
        }
    }

    /// <summary>How many pages from <paramref name="first"/> on fit into one shard.</summary>
    private static int PagesThatFit(UnwindTable table, int first)
    {
        var count = 1;
        while (first + count < table.Pages.Length - 1
            && table.Pages[first + count + 1] - table.Pages[first] + (uint)count + 2 <= UnwindShards.LongestRange - WordAllocator.Alignment)
        {
            count++;
        }

        return count;
    }

    private TablePiece? InstallPiece(UnwindTable table, int firstPage, int pages)
    {
        const int PageBits = 16;
        var (from, to) = (table.Pages[firstPage], table.Pages[firstPage + pages]);
        if (Executables.Take() is not { } index)
        {
            EvictOldest(words: 1);
            return null;
        }

        if (TakeRoom((uint)pages + 1 + to - from) is not { } range)
        {
            Executables.Return(index);
            return null;
        }

        var words = _shards[range];
        var deltas = range.Start + (uint)pages + 1;
        for (var i = 0; i <= pages; i++)
        {
            words[i] = table.Pages[firstPage + i] - from + deltas;
        }

        table.Deltas.AsSpan((int)from, (int)(to - from)).CopyTo(words[(pages + 1)..]);
        var first = table.FirstPage + (uint)firstPage;
        Executables.Set(index, new ExecutableTables.Entry(range.Shard, range.Start, first, (uint)pages));
        return new TablePiece(index, (ulong)first << PageBits, (ulong)(first + (uint)pages) << PageBits, range);
    }

    /// <summary>Room for so many words; evicts unused tables, oldest first. They are free for the next request only after <see cref="Reclaim"/>.</summary>
    private ShardRange? TakeRoom(uint words)
    {
        if (_shards.Take(words) is { } range)
        {
            return range;
        }

        EvictOldest(words);
        return null;
    }

    private void EvictOldest(uint words)
    {
        long evicted = 0;
        foreach (var unused in _byFile.Values.Distinct().Where(installed => installed.Users == 0).OrderBy(installed => installed.LastUse).ToList())
        {
            evicted += unused.Pieces.Sum(piece => piece.Range.Length);
            Evict(unused);
            if (evicted >= words)
            {
                break;
            }
        }
    }

    private void Evict(Installed installed)
    {
        Retire(installed.Pieces);
        foreach (var file in _byFile.Where(pair => ReferenceEquals(pair.Value, installed)).Select(pair => pair.Key).ToList())
        {
            _byFile.Remove(file);
        }

        _byContent.Remove(installed.Key);
    }

    private void Retire(IReadOnlyList<TablePiece> pieces)
    {
        foreach (var piece in pieces)
        {
            Executables.Return(piece.Index);
            _shards.Retire(piece.Range);
        }
    }

    private void WriteNewRules() =>
        _rulesWritten += _rules.CopyFrom(_rulesWritten, _ruleMemory.AsSpan<UnwindRule>()[_rulesWritten..]);
}
