using ActorProfiler.Aggregator.Aggregation;
using ActorProfiler.Aggregator.Pprof;
using Google.Protobuf;

namespace ActorProfiler.Aggregator.Outbox;

/// <summary>Reads a log from its beginning: what waits for whom, which batches are in it, and what of it is damaged.</summary>
/// <remarks>
/// A damaged record hides itself alone: the next is found by its magic, and the totals of the two around it say how many profiles and ticks
/// it held. A record that begins before the totals reached is a left-over of a failed commit that was repeated, and is passed over.
/// </remarks>
internal sealed class OutboxReplay
{
    private readonly Dictionary<long, OutboxItem> _items = [];
    private readonly Dictionary<BatchId, long> _batches = [];
    private readonly Dictionary<ulong, long> _times = [];
    private readonly List<LogGap> _gaps = [];
    private readonly List<CountedLoss> _counted = [];
    private readonly List<SettledProfiles> _settled = [];
    private readonly SeriesTimes _series;
    private LogTotals _totals;
    private LogTotals _begin = LogTotals.Start;

    private OutboxReplay(SeriesTimes series) => _series = series;

    public IReadOnlyDictionary<long, OutboxItem> Items => _items;

    /// <summary>With the Unix time in ms at which each was stored.</summary>
    public IReadOnlyDictionary<BatchId, long> Batches => _batches;

    /// <summary>Last time in ms of each series.</summary>
    public IReadOnlyDictionary<ulong, long> Times => _times;

    /// <summary>At the end of the log.</summary>
    public LogTotals Totals => _totals;

    /// <summary>Those that are not counted yet.</summary>
    public IReadOnlyList<LogGap> Gaps => _gaps;

    public bool IsTailTorn { get; private set; }

    /// <param name="times">Knows under which labels a series has its times.</param>
    /// <exception cref="IOException">A segment cannot be opened.</exception>
    public static OutboxReplay Of(OutboxLog log, SeriesTimes times)
    {
        var replay = new OutboxReplay(times) { _totals = log.Segments.Count > 0 ? log.Segments[0].Start : LogTotals.Start };
        var first = replay._totals;
        foreach (var segment in log.Segments)
        {
            replay.Advance(segment.Start);
            replay.IsTailTorn = !replay.ReadSegment(segment);
        }

        replay.Advance(log.Segments.Count > 0 && log.ReadMark() is { } mark ? mark : replay._totals);
        replay.FindMissingStart(first);
        replay._gaps.ForEach(gap => replay._counted.ForEach(gap.Count));
        replay._gaps.RemoveAll(gap => gap.IsCounted);
        replay._settled.ForEach(replay.Settle);
        return replay;
    }

    // A segment that was deleted has left word of it; one without is missing.
    private void FindMissingStart(LogTotals first)
    {
        if (first.NextId > _begin.NextId)
        {
            _gaps.Insert(0, new LogGap(_begin.NextId, first.NextId, first.Ticks - _begin.Ticks));
        }
    }

    /// <summary>The records of a segment that are not damaged.</summary>
    public static IEnumerable<LogRecord> RecordsOf(LogSegment segment)
    {
        var bytes = OutboxLog.ReadAll(segment);
        for (var place = Next(bytes, 0); place is { } found; place = Next(bytes, found.End))
        {
            yield return LogRecord.Parser.ParseFrom(bytes.AsSpan(found.Offset..found.End)[LogFrame.HeaderBytes..]);
        }
    }

    /// <returns>False when the segment ends with bytes that are no record.</returns>
    private bool ReadSegment(LogSegment segment)
    {
        var (bytes, end) = (OutboxLog.ReadAll(segment), 0);
        for (var place = Next(bytes, 0); place is { } found; place = Next(bytes, end))
        {
            end = found.End;
            if (found.Before.NextId >= _totals.NextId)
            {
                Advance(found.Before);
                Take(new LogPlace(segment, found.Offset, end - found.Offset), bytes.AsSpan(found.Offset..end)[LogFrame.HeaderBytes..]);
            }
        }

        return end == bytes.Length;
    }

    private static (int Offset, int End, LogTotals Before)? Next(byte[] bytes, int from)
    {
        for (var offset = LogFrame.Find(bytes, from); offset >= 0; offset = LogFrame.Find(bytes, offset + 1))
        {
            if (LogFrame.TryRead(bytes.AsSpan(offset), out var before, out var length))
            {
                return (offset, offset + LogFrame.HeaderBytes + length, before);
            }
        }

        return null;
    }

    private void Advance(LogTotals to)
    {
        if (to.NextId > _totals.NextId)
        {
            _gaps.Add(new LogGap(_totals.NextId, to.NextId, to.Ticks - _totals.Ticks));
            _totals = to;
        }
    }

    private void Take(LogPlace place, ReadOnlySpan<byte> body)
    {
        var record = LogRecord.Parser.ParseFrom(body);
        foreach (var (series, last) in LogRecords.TimesOf(record, _series))
        {
            _times[series] = Math.Max(_times.GetValueOrDefault(series), last);
        }

        switch (record.WhatCase)
        {
            case LogRecord.WhatOneofCase.Stored:
                Store(place, record.Stored);
                break;
            case LogRecord.WhatOneofCase.Settled:
                _settled.Add(record.Settled);
                break;
            case LogRecord.WhatOneofCase.Carried:
                Carry(record.Carried);
                break;
            case LogRecord.WhatOneofCase.Counted:
                _counted.Add(record.Counted);
                break;
        }
    }

    private void Store(LogPlace place, StoredProfiles stored)
    {
        for (var i = 0; i < stored.Profiles.Count; i++)
        {
            var profile = stored.Profiles[i];
            var series = LogRecords.LabelsOf(profile).Hash;
            var id = stored.Kept != 0 ? stored.Kept : _totals.NextId + i;
            var entry = new OutboxEntry(id, series, (long)profile.TimeNanos, profile.Ticks, profile.Pprof.Length);
            _items[id] = new OutboxItem(entry, place, i) { Waiting = [.. stored.Destinations] };
        }

        Remember(stored.Batches);
        if (stored.Replaces != 0)
        {
            var ticks = _items.TryGetValue(stored.Replaces, out var replaced) ? replaced.Entry.Ticks : 0;
            _settled.Add(new SettledProfiles { Destination = stored.Destinations[0], Ids = { stored.Replaces }, Ticks = { ticks } });
        }

        _totals = stored.Kept != 0 ? _totals : new LogTotals(_totals.NextId + stored.Profiles.Count, _totals.Ticks + stored.Profiles.Sum(profile => profile.Ticks));
    }

    private void Carry(Carried carried)
    {
        _begin = new LogTotals(carried.FirstId, carried.FirstTicks);
        Remember(carried.Batches);
    }

    private void Remember(IEnumerable<StoredBatches> batches)
    {
        foreach (var (id, storedMillis) in batches.SelectMany(LogRecords.Read))
        {
            _batches[id] = storedMillis;
        }
    }

    private void Settle(SettledProfiles settled)
    {
        for (var i = 0; i < settled.Ids.Count; i++)
        {
            var id = settled.Ids[i];
            if (_items.TryGetValue(id, out var item))
            {
                item.Waiting.Remove(settled.Destination);
                if (item.Waiting.Count == 0)
                {
                    _items.Remove(id);
                }
            }
            else if (_gaps.Find(gap => gap.From <= id && id < gap.To) is { } gap)
            {
                gap.Settle(settled.Destination, id, settled.Ticks[i]);
            }
        }
    }
}
