using System.Buffers;
using ActorProfiler.Aggregator.Outbox.Native;
using Microsoft.Win32.SafeHandles;

namespace ActorProfiler.Aggregator.Outbox;

/// <summary>Checksummed records in files of a folder, appended and synced; a file is deleted as a whole. No other process may use the folder.</summary>
/// <remarks>For one thread at a time, but for <see cref="TryRead"/>.</remarks>
internal sealed class OutboxLog : IDisposable
{
    private const int ReadBytes = 1 << 16;

    private readonly string _folder;
    private readonly long _segmentBytes;
    private readonly SafeFileHandle _lock;
    private readonly SafeFileHandle _mark;
    private readonly List<LogSegment> _segments;
    private SafeFileHandle? _current;
    private long _lastNumber;

    private OutboxLog(string folder, long segmentBytes, SafeFileHandle @lock)
    {
        (_folder, _segmentBytes, _lock) = (folder, segmentBytes, @lock);
        _mark = File.OpenHandle(Path.Combine(folder, "outbox.mark"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        _segments = [.. LogSegment.In(folder)];
        _lastNumber = _segments.Count > 0 ? _segments[^1].Number : 0;
    }

    /// <summary>Oldest first.</summary>
    public IReadOnlyList<LogSegment> Segments => _segments;

    /// <summary>Of all segments.</summary>
    public long Bytes => _segments.Sum(segment => segment.Length);

    /// <param name="segmentBytes">When a segment has as many, the next begins.</param>
    /// <exception cref="IOException">The folder is missing, cannot be written, or another process has it.</exception>
    public static OutboxLog Open(string folder, long segmentBytes)
    {
        var path = Path.Combine(folder, "outbox.lock");
        try
        {
            return new OutboxLog(folder, segmentBytes, File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException failure)
        {
            throw new IOException($"open the outbox in {folder}: {failure.Message}; is another aggregator using it?", failure);
        }
    }

    /// <summary>Appends records; they are on disk when this returns.</summary>
    /// <param name="before">Totals before the first of them.</param>
    /// <returns>Where the first begins.</returns>
    /// <exception cref="IOException">The disk is full or failed: none of them is in the log.</exception>
    public (LogSegment Segment, long Offset) Append(ReadOnlySpan<byte> records, LogTotals before)
    {
        if (_current is null || _segments[^1].Length >= _segmentBytes)
        {
            Begin(before);
        }

        var segment = _segments[^1];
        var offset = segment.Length;
        try
        {
            RandomAccess.Write(_current!, records, offset);
            DiskSync.File(_current!, segment.Path);
        }
        catch (IOException)
        {
            CutOff(offset);
            throw;
        }

        segment.Length += records.Length;
        return (segment, offset);
    }

    // What was not synced is not part of the log. A disk that does not even take this back is read past what is left: see OutboxReplay.
    private void CutOff(long offset)
    {
        try
        {
            RandomAccess.SetLength(_current!, offset);
        }
        catch (IOException failure)
        {
            _ = failure;
        }
    }

    /// <summary>
    /// Notes, not synced, how far the log has come, behind the records and in a file of its own: without it, damage of the last records would leave
    /// no trace of them.
    /// </summary>
    /// <returns>False when it could not be written.</returns>
    public bool TryMark(LogTotals totals)
    {
        var mark = new ArrayBufferWriter<byte>(LogFrame.HeaderBytes);
        LogFrame.Write(mark, totals, []);
        try
        {
            RandomAccess.Write(_mark, mark.WrittenSpan, 0);
            RandomAccess.Write(_current!, mark.WrittenSpan, _segments[^1].Length);
        }
        catch (IOException)
        {
            return false;
        }

        _segments[^1].Length += mark.WrittenCount;
        return true;
    }

    /// <summary>The last mark, or null when there is none or it is damaged.</summary>
    public LogTotals? ReadMark()
    {
        var bytes = new byte[LogFrame.HeaderBytes];
        return RandomAccess.Read(_mark, bytes, 0) == bytes.Length && LogFrame.TryRead(bytes, out var totals, out _) ? totals : null;
    }

    /// <summary>The whole of a segment; what the disk does not give back is zeros.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static byte[] ReadAll(LogSegment segment)
    {
        using var file = File.OpenHandle(segment.Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var bytes = new byte[RandomAccess.GetLength(file)];
        for (var offset = 0; offset < bytes.Length; offset += ReadBytes)
        {
            var block = bytes.AsSpan(offset, Math.Min(ReadBytes, bytes.Length - offset));
            try
            {
                RandomAccess.Read(file, block, offset);
            }
            catch (IOException)
            {
                block.Clear(); // a bad sector: the records in it are found damaged
            }
        }

        return bytes;
    }

    /// <summary>Body of the record at a place; from any thread.</summary>
    /// <returns>False when the record is gone or damaged.</returns>
    public static bool TryRead(LogPlace place, out ReadOnlyMemory<byte> body)
    {
        body = default;
        if (!File.Exists(place.Segment.Path))
        {
            return false;
        }

        var bytes = new byte[place.Length];
        using var file = File.OpenHandle(place.Segment.Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        if (RandomAccess.Read(file, bytes, place.Offset) != bytes.Length || !LogFrame.TryRead(bytes, out _, out var length))
        {
            return false;
        }

        body = bytes.AsMemory(LogFrame.HeaderBytes, length);
        return true;
    }

    /// <summary>Deletes the oldest segment, which is not the one that is written.</summary>
    public void DeleteOldest()
    {
        File.Delete(_segments[0].Path);
        _segments.RemoveAt(0);
    }

    public void Dispose()
    {
        _current?.Dispose();
        _mark.Dispose();
        _lock.Dispose();
    }

    // Each start begins a segment of its own: nothing is ever written behind damaged bytes.
    private void Begin(LogTotals before)
    {
        var segment = LogSegment.New(_folder, _lastNumber + 1, before);
        var handle = File.OpenHandle(segment.Path, FileMode.Create, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        try
        {
            DiskSync.Folder(_folder);
        }
        catch (IOException)
        {
            handle.Dispose();
            throw;
        }

        _current?.Dispose();
        (_current, _lastNumber) = (handle, segment.Number);
        _segments.Add(segment);
    }
}
