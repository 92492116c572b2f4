using System.Collections.Immutable;
using ActorProfiler.Aggregator.Pprof;

namespace ActorProfiler.Aggregator.Outbox;

/// <content>What is in it.</content>
internal sealed partial class ProfileOutbox
{
    /// <summary>What waits for a destination, oldest first.</summary>
    public ImmutableArray<OutboxEntry> Pending(string destination) =>
        [.. _items.Values.Where(item => item.Waiting.Contains(destination)).Select(item => item.Entry).OrderBy(entry => entry.Id)];

    /// <summary>A stored profile, or null when it is gone or its bytes are damaged.</summary>
    /// <exception cref="IOException">The disk failed.</exception>
    public EncodedProfile? Read(long id) =>
        _items.TryGetValue(id, out var item) && OutboxLog.TryRead(item.Place, out var body)
            ? LogRecords.Read(LogRecord.Parser.ParseFrom(body.Span).Stored.Profiles[item.Part])
            : null;

    /// <summary>Profiles to drop: those from before <paramref name="oldestNanos"/>, and those of the oldest files while more than <paramref name="bytes"/> remain.</summary>
    /// <returns>By destination, the entries and why they go.</returns>
    public IReadOnlyList<(string Destination, OutboxEntry Entry, string Reason)> Overdue(long oldestNanos, long bytes)
    {
        var bySegment = _items.Values.ToLookup(item => item.Place.Segment);
        var overdue = new List<(string, OutboxEntry, string)>();
        var remaining = Bytes;
        foreach (var segment in _log.Segments)
        {
            var isEvicted = remaining > bytes;
            foreach (var item in bySegment[segment].OrderBy(item => item.Entry.Id))
            {
                var isExpired = item.Entry.TimeNanos < oldestNanos;
                if (isExpired || isEvicted)
                {
                    overdue.AddRange(item.Waiting.Select(destination => (destination, item.Entry, isExpired ? "expired" : "evicted")));
                }
            }

            remaining -= isEvicted ? segment.Length : 0;
        }

        return overdue;
    }
}
