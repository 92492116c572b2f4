using System.Collections.Immutable;
using ActorProfiler.Aggregator.Aggregation;

namespace ActorProfiler.Aggregator.Outbox;

/// <content>What a record changes in memory, and how the oldest segment goes.</content>
internal sealed partial class ProfileOutbox
{
    // A segment goes when this share of it is still waited for; that is written again.
    private const int LiveShare = 8;

    private Dictionary<string, ImmutableArray<OutboxEntry>> Apply(IEnumerable<(LogRecord Record, LogTotals Before, LogPlace Place)> written)
    {
        var added = new Dictionary<string, ImmutableArray<OutboxEntry>.Builder>(StringComparer.Ordinal);
        foreach (var (record, before, place) in written)
        {
            if (record.Stored is { } stored)
            {
                Add(stored, before.NextId, place, added);
            }
            else if (record.Settled is { } settled)
            {
                settled.Ids.ToList().ForEach(id => Settle(settled.Destination, id));
            }
        }

        return added.ToDictionary(pair => pair.Key, pair => pair.Value.ToImmutable(), StringComparer.Ordinal);
    }

    private void Add(StoredProfiles stored, long firstId, LogPlace place, Dictionary<string, ImmutableArray<OutboxEntry>.Builder> added)
    {
        for (var i = 0; i < stored.Profiles.Count; i++)
        {
            var profile = stored.Profiles[i];
            var entry = new OutboxEntry(firstId + i, LogRecords.LabelsOf(profile).Hash, (long)profile.TimeNanos, profile.Ticks, profile.Pprof.Length);
            _items[entry.Id] = new OutboxItem(entry, place, i) { Waiting = [.. stored.Destinations] };
            foreach (var destination in stored.Destinations)
            {
                if (!added.TryGetValue(destination, out var entries))
                {
                    added.Add(destination, entries = ImmutableArray.CreateBuilder<OutboxEntry>());
                }

                entries.Add(entry);
            }
        }

        if (stored.Replaces != 0)
        {
            Settle(stored.Destinations[0], stored.Replaces);
        }
    }

    private void Settle(string destination, long id)
    {
        if (_items.TryGetValue(id, out var item) && item.Waiting.Remove(destination) && item.Waiting.Count == 0)
        {
            _items.TryRemove(id, out _);
        }
    }

    // From the oldest on and no other: a record may speak of profiles in segments before its own, never behind it.
    private void Retire(DateTimeOffset forgetBefore)
    {
        while (_log.Segments.Count > 1)
        {
            var segment = _log.Segments[0];
            var live = _items.Values.Where(item => item.Place.Segment == segment).OrderBy(item => item.Entry.Id).ToList();
            if (live.Sum(item => (long)item.Place.Length) * LiveShare > segment.Length)
            {
                return;
            }

            var kept = live.Select(item => (Item: item, Profile: Read(item.Entry.Id))).ToList();
            var records = kept.Where(pair => pair.Profile is not null).Select(pair => Keep(pair.Item, pair.Profile!)).ToList();
            var begin = new Carried { FirstId = _log.Segments[1].Start.NextId, FirstTicks = _log.Segments[1].Start.Ticks };
            var carried = Carry(segment, forgetBefore, begin.Clone());

            // Once more alone, so that damage of the long record does not hide where the log begins.
            var places = Write([.. records.Append(new LogRecord { Carried = carried }).Append(new LogRecord { Carried = begin }).Select(record => (record, _totals))]);
            foreach (var (pair, place) in kept.Where(pair => pair.Profile is not null).Zip(places))
            {
                _items[pair.Item.Entry.Id] = pair.Item with { Place = place, Part = 0 };
            }

            _log.DeleteOldest();
        }
    }

    private static LogRecord Keep(OutboxItem item, Pprof.EncodedProfile profile) => new()
    {
        Stored = new StoredProfiles { Destinations = { item.Waiting }, Profiles = { LogRecords.Of(profile) }, Kept = item.Entry.Id },
    };

    private Carried Carry(LogSegment segment, DateTimeOffset forgetBefore, Carried carried)
    {
        var (batches, times, before) = (new Dictionary<BatchId, long>(), new Dictionary<ulong, long>(), forgetBefore.ToUnixTimeMilliseconds());
        foreach (var record in OutboxReplay.RecordsOf(segment))
        {
            foreach (var (id, millis) in (record.Stored?.Batches ?? record.Carried?.Batches ?? []).SelectMany(LogRecords.Read).Where(batch => batch.StoredMillis >= before))
            {
                batches[id] = millis;
            }

            foreach (var (series, last) in LogRecords.TimesOf(record, _times).Where(time => time.LastMillis >= before))
            {
                times[series] = Math.Max(times.GetValueOrDefault(series), last);
            }
        }

        carried.Batches.AddRange(LogRecords.Of(batches.Select(pair => (pair.Key, pair.Value))));
        carried.Series.AddRange(times.Keys);
        carried.LastUnixMillis.AddRange(times.Values);
        return carried;
    }
}
