using System.Buffers.Binary;
using System.Globalization;
using System.IO.Hashing;
using ActorProfiler.Protocol;
using Google.Protobuf;

namespace ActorProfiler.Collector.Batching;

/// <summary>
/// Unsettled batches on disk, so that they outlive the process and need no memory. One segment file per write; a segment goes when all its
/// batches are settled. Not thread-safe.
/// </summary>
/// <remarks>
/// A record is <c>kind (1) · length (4) · CRC-32 of the rest (4) · bytes</c>, little-endian: a <see cref="Submit"/>, or a <see cref="Stored"/> that settles
/// batches of its segment. Nothing is synced: a kill loses nothing, a power loss at most what the kernel had not written back.
/// </remarks>
internal sealed class BatchSpool
{
    private const int HeaderBytes = 9;
    private const int ChecksumAt = 5;
    private const byte BatchRecord = 1;
    private const byte SettledRecord = 2;
    private const string Extension = ".batches";

    private readonly string _folder;
    private readonly long _mostBytes;
    private readonly Dictionary<BatchKey, Place> _places = [];
    private readonly LinkedList<Segment> _segments = new();

    private BatchSpool(string folder, long mostBytes) => (_folder, _mostBytes) = (folder, mostBytes);

    /// <summary>Of all files.</summary>
    public long Bytes { get; private set; }

    /// <summary>Records that could not be read at the start: torn by a crash, or damaged.</summary>
    public int Damaged { get; private set; }

    /// <summary>Opens a folder, which is made when missing.</summary>
    /// <param name="kept">The unsettled batches of earlier starts with the time they were written, oldest first.</param>
    /// <exception cref="IOException">The folder cannot be made or read.</exception>
    public static BatchSpool Open(string folder, long mostBytes, out IReadOnlyList<(Submit Batch, DateTimeOffset Written)> kept)
    {
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var spool = new BatchSpool(folder, mostBytes);
        var found = new List<(Submit, DateTimeOffset)>();
        foreach (var path in Directory.EnumerateFiles(folder, "*" + Extension).Order(StringComparer.Ordinal))
        {
            var written = new DateTimeOffset(File.GetLastWriteTimeUtc(path));
            found.AddRange(spool.Recover(path).Select(batch => (batch, written)));
        }

        kept = found;
        return spool;
    }

    /// <summary>Writes batches as one segment.</summary>
    /// <returns>The batches of the oldest segments that had to go to stay within the bound.</returns>
    /// <exception cref="IOException">Nothing was written: the disk is full or failing.</exception>
    public IReadOnlyList<BatchKey> Write(IReadOnlyList<Submit> batches)
    {
        var path = Path.Combine(_folder, string.Create(CultureInfo.InvariantCulture, $"{batches[0].Epoch:x16}-{batches[0].Sequence:x16}{Extension}"));
        var segment = new Segment(path);
        using var bytes = new MemoryStream();
        var places = new List<(BatchKey, Place)>();
        foreach (var batch in batches)
        {
            var content = batch.ToByteArray();
            places.Add((BatchKey.Of(batch), new Place(segment, bytes.Length + HeaderBytes, content.Length)));
            Append(bytes, BatchRecord, content);
        }

        WriteWhole(path, bytes);
        segment.Bytes = bytes.Length;
        Take(segment, places);
        return Evict();
    }

    /// <summary>A batch written before, or null when it was settled or its bytes are damaged.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public Submit? Read(BatchKey key)
    {
        if (!_places.TryGetValue(key, out var place))
        {
            return null;
        }

        using var file = File.OpenHandle(place.Segment.Path);
        var record = new byte[HeaderBytes + place.Length];
        var read = RandomAccess.Read(file, record, place.Offset - HeaderBytes);
        return read == record.Length && TryRead(record, out _, out var content, out _) ? Submit.Parser.ParseFrom(content) : null;
    }

    /// <summary>Forgets batches, also after a restart; those not here are passed over.</summary>
    /// <exception cref="IOException">The disk is full or failing; the batches come again after a restart.</exception>
    public void Settle(IEnumerable<BatchKey> keys)
    {
        foreach (var group in keys.Where(_places.ContainsKey).GroupBy(key => (_places[key].Segment, key.Epoch)).ToList())
        {
            var (segment, epoch) = group.Key;
            var stored = new Stored { Epoch = epoch, Sequences = { group.Select(key => key.Sequence) } };
            foreach (var key in group)
            {
                _places.Remove(key);
                segment.Keys.Remove(key);
            }

            if (segment.Keys.Count == 0)
            {
                Delete(segment);
                continue;
            }

            using var bytes = new MemoryStream();
            Append(bytes, SettledRecord, stored.ToByteArray());
            using var file = new FileStream(segment.Path, FileMode.Append, FileAccess.Write);
            bytes.WriteTo(file);
            segment.Bytes += bytes.Length;
            Bytes += bytes.Length;
        }
    }

    private List<Submit> Recover(string path)
    {
        var segment = new Segment(path);
        var content = File.ReadAllBytes(path);
        var batches = new Dictionary<BatchKey, (Submit Batch, Place Place)>();
        var offset = 0;
        while (offset < content.Length && TryRead(content.AsSpan(offset), out var kind, out var bytes, out var length))
        {
            if (kind == BatchRecord)
            {
                var batch = Submit.Parser.ParseFrom(bytes);
                batches[BatchKey.Of(batch)] = (batch, new Place(segment, offset + HeaderBytes, bytes.Length));
            }
            else
            {
                var stored = Stored.Parser.ParseFrom(bytes);
                stored.Sequences.ToList().ForEach(sequence => batches.Remove(new BatchKey(stored.Epoch, sequence)));
            }

            offset += length;
        }

        Damaged += offset < content.Length ? 1 : 0;
        segment.Bytes = content.Length;
        Take(segment, [.. batches.Select(pair => (pair.Key, pair.Value.Place))]);
        if (segment.Keys.Count == 0)
        {
            Delete(segment);
        }

        return [.. batches.OrderBy(pair => pair.Key).Select(pair => pair.Value.Batch)];
    }

    private void Take(Segment segment, List<(BatchKey Key, Place Place)> places)
    {
        foreach (var (key, place) in places)
        {
            _places[key] = place;
            segment.Keys.Add(key);
        }

        segment.Node = _segments.AddLast(segment);
        Bytes += segment.Bytes;
    }

    private List<BatchKey> Evict()
    {
        var gone = new List<BatchKey>();
        while (Bytes > _mostBytes && _segments.Count > 1)
        {
            var oldest = _segments.First!.Value;
            gone.AddRange(oldest.Keys);
            foreach (var key in oldest.Keys)
            {
                _places.Remove(key);
            }

            Delete(oldest);
        }

        return gone;
    }

    private void Delete(Segment segment)
    {
        _segments.Remove(segment.Node!);
        Bytes -= segment.Bytes;
        File.Delete(segment.Path);
    }

    private static void WriteWhole(string path, MemoryStream bytes)
    {
        try
        {
            using var file = new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.Create,
                Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
            bytes.WriteTo(file);
        }
        catch (IOException)
        {
            File.Delete(path);
            throw;
        }
    }

    private static void Append(MemoryStream to, byte kind, byte[] content)
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        header[0] = kind;
        BinaryPrimitives.WriteInt32LittleEndian(header[1..], content.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(header[ChecksumAt..], Checksum(header, content));
        to.Write(header);
        to.Write(content);
    }

    /// <summary>False for a record that is cut off or whose checksum is wrong.</summary>
    private static bool TryRead(ReadOnlySpan<byte> bytes, out byte kind, out ReadOnlySpan<byte> content, out int length)
    {
        kind = 0;
        content = default;
        length = 0;
        if (bytes.Length < HeaderBytes || BinaryPrimitives.ReadInt32LittleEndian(bytes[1..]) is var size && (size < 0 || size > bytes.Length - HeaderBytes))
        {
            return false;
        }

        kind = bytes[0];
        content = bytes.Slice(HeaderBytes, size);
        length = HeaderBytes + size;
        return kind is BatchRecord or SettledRecord && Checksum(bytes, content) == BinaryPrimitives.ReadUInt32LittleEndian(bytes[ChecksumAt..]);
    }

    /// <summary>Over the kind too: a batch that is taken for what settles others would be lost, and they with it.</summary>
    private static uint Checksum(ReadOnlySpan<byte> header, ReadOnlySpan<byte> content)
    {
        var checksum = new Crc32();
        checksum.Append(header[..ChecksumAt]);
        checksum.Append(content);
        return checksum.GetCurrentHashAsUInt32();
    }

    private sealed class Segment(string path)
    {
        public string Path => path;

        public long Bytes { get; set; }

        public HashSet<BatchKey> Keys { get; } = [];

        public LinkedListNode<Segment>? Node { get; set; }
    }

    private sealed record Place(Segment Segment, long Offset, int Length);
}
