using System.Runtime.InteropServices;
using ActorProfiler.Collector.Elf;
using ActorProfiler.Collector.Processes;
using Microsoft.Win32.SafeHandles;

namespace ActorProfiler.Collector.Symbols;

/// <summary>Names of JIT-compiled code, from the file <c>/tmp/perf-PID.map</c> that the process itself appends to.</summary>
/// <remarks>
/// Only a file of the process's own user or of root counts. Each refresh reads what was appended since the last; a file that shrank, was
/// replaced, or has other bytes where the last refresh ended is read anew. Not for several threads.
/// </remarks>
internal sealed class PerfMap
{
    /// <summary>One for all: addresses are those of the process, so they mean nothing without it.</summary>
    public static readonly Module Jit = new("[jit]", "", 0, ulong.MaxValue, 0);

    /// <summary>Bounds for one process. What lies past them keeps no name.</summary>
    public const int EntryLimit = 1 << 18;

    /// <summary>See <see cref="EntryLimit"/>.</summary>
    public const int NameBytesLimit = 16 << 20;

    private const long FileBytes = 64 << 20;
    private const int TailBytes = 64;

    private readonly List<PerfMapEntry> _entries = [];
    private readonly List<byte> _names = [];
    private readonly Dictionary<int, Location> _locations = []; // by where the name begins
    private PerfMapRanges _ranges = PerfMapRanges.Empty;
    private FileStatus _status;
    private byte[] _tail = [];
    private long _read;

    public int Count => _entries.Count;

    /// <summary>Lines that are no perf map lines, or past the bounds.</summary>
    public long SkippedLines { get; private set; }

    /// <summary>The location of JIT code, or null when no entry holds the address.</summary>
    public Location? Find(ulong address)
    {
        var index = _ranges.Find(address);
        if (index < 0)
        {
            return null;
        }

        var entry = _entries[index];
        if (!_locations.TryGetValue(entry.NameAt, out var location))
        {
            var name = SymbolText.From(CollectionsMarshal.AsSpan(_names).Slice(entry.NameAt, entry.NameLength));
            location = new Location(Jit, entry.Start, [new Line(new Function(name, name), 0)], IsSymbolized: true);
            _locations.Add(entry.NameAt, location);
        }

        return location;
    }

    /// <summary>Reads what the process has added. A missing file, or one that may not be trusted, changes nothing.</summary>
    /// <param name="root">The process's root folder.</param>
    public void Refresh(SafeFileHandle root, ProcStatus status)
    {
        var opened = SafeOpen.Under(root, $"/tmp/{ProcessImage.PerfMapOf(status.NamespacePid)}", FileBytes, [0, status.EffectiveUser]);
        if (opened.Handle is null)
        {
            return;
        }

        using var source = new FileSource(opened.Handle, opened.Status.Size);
        if (opened.Status == _status)
        {
            return;
        }

        if (IsRewritten(source, opened.Status))
        {
            Forget();
        }

        _status = opened.Status;
        var before = _entries.Count;
        Append(source);
        if (_entries.Count > before)
        {
            _ranges = PerfMapRanges.Build(_entries);
        }
    }

    private bool IsRewritten(FileSource source, FileStatus status)
    {
        if (status.Inode != _status.Inode || status.Device != _status.Device || status.Size < _read)
        {
            return true;
        }

        Span<byte> tail = stackalloc byte[TailBytes];
        tail = tail[..source.ReadFully(_read - _tail.Length, tail[.._tail.Length])];
        return !tail.SequenceEqual(_tail);
    }

    private void Forget()
    {
        _entries.Clear();
        _names.Clear();
        _locations.Clear();
        _ranges = PerfMapRanges.Empty;
        (_tail, _read, SkippedLines) = ([], 0, 0);
    }

    private void Append(FileSource source)
    {
        var buffer = new byte[1 << 16];
        while (_read < FileBytes)
        {
            var have = source.ReadFully(_read, buffer);
            var whole = buffer.AsSpan(0, have).LastIndexOf((byte)'\n') + 1;
            if (whole == 0 && have == buffer.Length)
            {
                whole = have; // one line longer than the buffer: passed over in pieces
            }

            if (whole == 0)
            {
                return;
            }

            AddLines(buffer.AsSpan(0, whole));
            _read += whole;
            _tail = buffer.AsSpan(Math.Max(0, whole - TailBytes), Math.Min(whole, TailBytes)).ToArray();
        }
    }

    private void AddLines(ReadOnlySpan<byte> lines)
    {
        for (int end; !lines.IsEmpty; lines = lines[(end + 1)..])
        {
            end = lines.IndexOf((byte)'\n');
            end = end < 0 ? lines.Length - 1 : end;
            if (!PerfMapParser.TryParse(lines[..end], out var start, out var limit, out var name) ||
                _entries.Count >= EntryLimit || _names.Count + name.Length > NameBytesLimit)
            {
                SkippedLines++;
                continue;
            }

            _entries.Add(new PerfMapEntry(start, limit, _names.Count, name.Length));
            _names.AddRange(name);
        }
    }
}
