using System.Collections.Concurrent;
using ActorProfiler.Collector.Elf;
using ActorProfiler.Collector.Sampling.Native;
using ActorProfiler.Collector.Unwinding;

namespace ActorProfiler.Collector.Sampling;

/// <summary>The unwind tables of executables, each compiled once by content, in as much room as the shards have.</summary>
/// <remarks>Not thread-safe, but for <see cref="Refused"/>.</remarks>
internal sealed class InstalledTables(
    UnwindShards shards, ExecutableTables executables, UnwindRules rules, MappedValues ruleMemory, TimeProvider time, UnwindLimits? limits = null)
{
    /// <summary>Files remembered at most because they cannot be compiled.</summary>
    private const int MostQuarantined = 4096;

    private readonly UnwindTables _compiler = new(rules, time, limits);
    private readonly Dictionary<string, InstalledTable> _byContent = new(StringComparer.Ordinal);
    private readonly Dictionary<ElfFile, InstalledTable> _byFile = new(ReferenceEqualityComparer.Instance);
    private readonly Queue<InstalledTable> _quarantined = new();
    private int _rulesWritten;
    private long _clock;

    /// <summary>Executables with a table.</summary>
    public int Count => _byFile.Values.Count(installed => installed.Pieces.Count > 0);

    /// <inheritdoc cref="UnwindTableStore.Compiled"/>
    public long Compiled { get; private set; }

    /// <inheritdoc cref="UnwindTableStore.Refused"/>
    public ConcurrentDictionary<string, long> Refused { get; } = new(StringComparer.Ordinal);

    /// <inheritdoc cref="UnwindTableStore.BeforeInstalling"/>
    public Action? BeforeInstalling { get; set; }

    /// <summary>The table of a file, installed unless it is already.</summary>
    public InstalledTable For(ElfFile file)
    {
        if (!_byFile.TryGetValue(file, out var installed)
            && (file.ContentKey.Length == 0 || !_byContent.TryGetValue(file.ContentKey, out installed)))
        {
            BeforeInstalling?.Invoke();
            installed = Compile(file);
            _byFile[file] = installed;
            if (file.ContentKey.Length > 0)
            {
                _byContent[file.ContentKey] = installed;
            }
        }

        installed.LastUse = ++_clock;
        return installed;
    }

    /// <summary>Puts a table into shards, in pieces that fit. Where room ends, the rest is left out.</summary>
    public List<TablePiece> Install(UnwindTable table)
    {
        _rulesWritten += rules.CopyFrom(_rulesWritten, ruleMemory.AsSpan<UnwindRule>()[_rulesWritten..]);
        var pieces = new List<TablePiece>();
        for (var page = 0; page < table.Pages.Length - 1;)
        {
            var pages = PagesThatFit(table, page);
            if (InstallPiece(table, page, pages) is not { } piece)
            {
                Refuse("no_room");
                break;
            }

            pieces.Add(piece);
            page += pages;
        }

        return pieces;
    }

    /// <summary>Room for so many words; evicts unused tables, oldest first. They are free for the next request only after <see cref="UnwindTableStore.Reclaim"/>.</summary>
    public ShardRange? TakeRoom(uint words)
    {
        if (shards.Take(words) is { } range)
        {
            return range;
        }

        EvictOldest(words);
        return null;
    }

    /// <summary>Gives pieces back.</summary>
    public void Retire(IReadOnlyList<TablePiece> pieces)
    {
        foreach (var piece in pieces)
        {
            executables.Return(piece.Index);
            shards.Retire(piece.Range);
        }
    }

    /// <summary>Lets go of files that are closed and have no build id, since nothing can ask for their tables again.</summary>
    public void ForgetClosed()
    {
        foreach (var orphan in _byFile.Values.Where(installed => installed.Users == 0 && installed.Key.Length == 0 && installed.File.IsClosed).ToList())
        {
            Evict(orphan);
        }
    }

    /// <summary>A file that cannot be compiled, or takes too much, is walked by frame pointers from then on.</summary>
    private InstalledTable Compile(ElfFile file)
    {
        Compiled++;
        try
        {
            return new InstalledTable(_compiler.Compile(file) is { } table ? Install(table) : [], file.ContentKey, file);
        }
        catch (Exception e) when (e is FormatException or IOException)
        {
            Refuse(e switch { FrameBudgetException => "budget", FormatException => "malformed", _ => "unreadable" });
            return Quarantine(new InstalledTable([], file.ContentKey, file) { IsQuarantined = true });
        }
    }

    private InstalledTable Quarantine(InstalledTable refused)
    {
        _quarantined.Enqueue(refused);
        if (_quarantined.Count > MostQuarantined)
        {
            Evict(_quarantined.Dequeue());
        }

        return refused;
    }

    private void Refuse(string reason) => Refused.AddOrUpdate(reason, 1, (_, before) => before + 1);

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
        if (executables.Take() is not { } index)
        {
            EvictOldest(words: 1);
            return null;
        }

        if (TakeRoom((uint)pages + 1 + to - from) is not { } range)
        {
            executables.Return(index);
            return null;
        }

        var words = shards[range];
        var deltas = range.Start + (uint)pages + 1;
        for (var i = 0; i <= pages; i++)
        {
            words[i] = table.Pages[firstPage + i] - from + deltas;
        }

        table.Deltas.AsSpan((int)from, (int)(to - from)).CopyTo(words[(pages + 1)..]);
        var first = table.FirstPage + (uint)firstPage;
        executables.Set(index, new ExecutableTables.Entry(range.Shard, range.Start, first, (uint)pages));
        return new TablePiece(index, (ulong)first << PageBits, (ulong)(first + (uint)pages) << PageBits, range);
    }

    private void EvictOldest(uint words)
    {
        long evicted = 0;
        foreach (var unused in _byFile.Values.Distinct().Where(installed => installed is { Users: 0, IsQuarantined: false }).OrderBy(installed => installed.LastUse).ToList())
        {
            evicted += unused.Pieces.Sum(piece => piece.Range.Length);
            Evict(unused);
            if (evicted >= words)
            {
                break;
            }
        }
    }

    private void Evict(InstalledTable installed)
    {
        Retire(installed.Pieces);
        foreach (var file in _byFile.Where(pair => ReferenceEquals(pair.Value, installed)).Select(pair => pair.Key).ToList())
        {
            _byFile.Remove(file);
        }

        _byContent.Remove(installed.Key);
    }
}
