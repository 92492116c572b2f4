using System.Buffers;
using System.Collections.Concurrent;
using System.Collections.Immutable;
using ActorProfiler.Aggregator.Aggregation;
using ActorProfiler.Aggregator.Pprof;
using Google.Protobuf;

namespace ActorProfiler.Aggregator.Outbox;

/// <summary>
/// The durable log of encoded profiles: what is waiting for which destination, and which batches are in it. A commit is on disk when it returns.
/// </summary>
/// <remarks>
/// The log is the truth; what is in memory is read from it at the start. <see cref="Commit"/> and the other members are for one thread at a
/// time; <see cref="Read"/> is for any thread. Why a log: docs/decisions/0004-outbox.md.
/// </remarks>
internal sealed partial class ProfileOutbox : IDisposable
{
    private readonly OutboxLog _log;
    private readonly SeriesTimes _times;
    private readonly TimeProvider _clock;
    private readonly ConcurrentDictionary<long, OutboxItem> _items;
    private readonly List<LogRecord> _unwritten = [];
    private LogTotals _totals;

    private ProfileOutbox(OutboxLog log, OutboxReplay replay, ImmutableArray<string> destinations, SeriesTimes times, TimeProvider clock)
    {
        _log = log;
        _times = times;
        _clock = clock;
        _items = new ConcurrentDictionary<long, OutboxItem>(replay.Items);
        _totals = replay.Totals;
        _unwritten.AddRange(replay.Gaps.Select(gap => new LogRecord { Counted = gap.ToCounted() }));
        Destinations = destinations;
        Remembered = [.. replay.Batches.Keys];
        Damage = new OutboxDamage(LossOf(replay.Gaps, destinations), replay.IsTailTorn);
    }

    /// <summary>Opens or creates the outbox in <paramref name="folder"/>.</summary>
    /// <param name="destinations">Who gets what is appended; profiles waiting for anybody else are dropped when they are overdue.</param>
    /// <param name="times">Takes up the times of the series in the log; what it hands out is stored with the profiles.</param>
    /// <param name="segmentBytes">About how long a file of the log gets.</param>
    /// <exception cref="IOException">The folder is missing, cannot be read or written, or is in use by another process.</exception>
    public static ProfileOutbox Open(
        string folder, IEnumerable<string> destinations, SeriesTimes times, TimeProvider clock, long segmentBytes = OutboxOptions.MostSegmentBytes)
    {
        var log = OutboxLog.Open(folder, segmentBytes);
        try
        {
            var replay = OutboxReplay.Of(log, times);
            foreach (var (series, last) in replay.Times)
            {
                times.Restore(series, last);
            }

            return new ProfileOutbox(log, replay, [.. destinations], times, clock);
        }
        catch
        {
            log.Dispose();
            throw;
        }
    }

    /// <summary>Who gets what is appended from now on. May be set while another thread appends.</summary>
    public ImmutableArray<string> Destinations { get; set; }

    /// <summary>What was damaged when it was opened.</summary>
    public OutboxDamage Damage { get; }

    /// <summary>Batches that were in it when it was opened and that their collectors may still send again.</summary>
    public ImmutableArray<BatchId> Remembered { get; }

    /// <summary>Of all files.</summary>
    public long Bytes => _log.Bytes;

    /// <summary>Makes all changes, or none and throws.</summary>
    /// <returns>The new entries by destination.</returns>
    /// <exception cref="IOException">The disk is full or failed; the same changes may be committed again later.</exception>
    public IReadOnlyDictionary<string, ImmutableArray<OutboxEntry>> Commit(IReadOnlyList<OutboxChange> changes)
    {
        foreach (var forget in changes.OfType<OutboxChange.Forget>())
        {
            Retire(forget.Before);
        }

        var (records, totals) = (new List<(LogRecord Record, LogTotals Before)>(), _totals);
        foreach (var record in _unwritten.Concat(RecordsOf(changes)))
        {
            records.Add((record, totals));
            totals = After(totals, record);
        }

        if (records.Count == 0)
        {
            return ImmutableDictionary<string, ImmutableArray<OutboxEntry>>.Empty;
        }

        var places = Write(records);
        _unwritten.Clear();
        _totals = totals;
        _log.TryMark(totals);
        return Apply(records.Zip(places, (record, place) => (record.Record, record.Before, place)));
    }

    public void Dispose() => _log.Dispose();

    private IEnumerable<LogRecord> RecordsOf(IReadOnlyList<OutboxChange> changes)
    {
        var now = _clock.GetUtcNow().ToUnixTimeMilliseconds();
        var destinations = Destinations;
        foreach (var append in changes.OfType<OutboxChange.Append>())
        {
            var stored = new StoredProfiles { Batches = { LogRecords.Of(append.Batches.Select(id => (id, now))) } };
            if (destinations.Length > 0)
            {
                stored.Destinations.AddRange(destinations);
                stored.Profiles.AddRange(append.Parts.Select(LogRecords.Of));
            }

            yield return new LogRecord { Stored = stored };
        }

        foreach (var replace in changes.OfType<OutboxChange.Replace>())
        {
            yield return new LogRecord
            {
                Stored = new StoredProfiles { Destinations = { replace.Destination }, Profiles = { replace.Parts.Select(LogRecords.Of) }, Replaces = replace.Profile },
            };
        }

        foreach (var group in changes.OfType<OutboxChange.Settle>().GroupBy(settle => settle.Destination, StringComparer.Ordinal))
        {
            var ids = group.Select(settle => settle.Profile).Distinct().Where(id => _items.TryGetValue(id, out var item) && item.Waiting.Contains(group.Key)).ToList();
            if (ids.Count > 0)
            {
                yield return new LogRecord { Settled = new SettledProfiles { Destination = group.Key, Ids = { ids }, Ticks = { ids.Select(id => _items[id].Entry.Ticks) } } };
            }
        }
    }

    private static LogTotals After(LogTotals before, LogRecord record) => record.Stored is { Kept: 0 } stored
        ? new LogTotals(before.NextId + stored.Profiles.Count, before.Ticks + stored.Profiles.Sum(profile => profile.Ticks))
        : before;

    private List<LogPlace> Write(List<(LogRecord Record, LogTotals Before)> records)
    {
        var (bytes, ends) = (new ArrayBufferWriter<byte>(), new List<int>());
        foreach (var (record, before) in records)
        {
            LogFrame.Write(bytes, before, record.ToByteArray());
            ends.Add(bytes.WrittenCount);
        }

        var (segment, offset) = _log.Append(bytes.WrittenSpan, records[0].Before);
        return [.. ends.Select((end, i) => (Start: i == 0 ? 0 : ends[i - 1], End: end)).Select(range => new LogPlace(segment, offset + range.Start, range.End - range.Start))];
    }

    private static Dictionary<string, (long Profiles, long Ticks)> LossOf(IReadOnlyList<LogGap> gaps, ImmutableArray<string> destinations) => destinations
        .Select(destination => (destination, Lost: gaps.Select(gap => gap.LostTo(destination)).ToList()))
        .Where(pair => pair.Lost.Exists(lost => lost.Profiles > 0))
        .ToDictionary(pair => pair.destination, pair => (pair.Lost.Sum(lost => lost.Profiles), pair.Lost.Sum(lost => lost.Ticks)), StringComparer.Ordinal);
}
