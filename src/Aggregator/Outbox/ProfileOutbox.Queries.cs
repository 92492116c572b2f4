using System.Collections.Immutable;
using ActorProfiler.Aggregator.Aggregation;
using ActorProfiler.Aggregator.Pprof;
using Microsoft.Data.Sqlite;

namespace ActorProfiler.Aggregator.Outbox;

/// <content>What is in it.</content>
internal sealed partial class ProfileOutbox
{
    /// <summary>Batches on disk that their collectors may still send again.</summary>
    public IReadOnlyList<BatchId> Batches()
    {
        using var command = _connection.CreateCommand();
        command.CommandText = "SELECT collector, epoch, sequence FROM batch";
        using var rows = command.ExecuteReader();
        var batches = new List<BatchId>();
        while (rows.Read())
        {
            batches.Add(new BatchId(new Guid(rows.GetFieldValue<byte[]>(0)), (ulong)rows.GetInt64(1), (ulong)rows.GetInt64(2)));
        }

        return batches;
    }

    /// <summary>What waits for a destination, oldest first.</summary>
    public ImmutableArray<OutboxEntry> Pending(string destination)
    {
        using var command = _connection.CreateCommand();
        command.CommandText =
            """
            SELECT profile.id, series, time_nanos, ticks, length(pprof) FROM pending JOIN profile ON profile.id = pending.profile
            WHERE destination = $destination ORDER BY profile.id
            """;
        command.Parameters.AddWithValue("$destination", destination);
        using var rows = command.ExecuteReader();
        var entries = ImmutableArray.CreateBuilder<OutboxEntry>();
        while (rows.Read())
        {
            entries.Add(new OutboxEntry(rows.GetInt64(0), (ulong)rows.GetInt64(1), rows.GetInt64(2), rows.GetInt64(3), rows.GetInt32(4)));
        }

        return entries.ToImmutable();
    }

    /// <summary>A stored profile, or null when it is gone or its bytes are damaged.</summary>
    public EncodedProfile? Read(long id)
    {
        using var connection = new SqliteConnection(_readers);
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT labels, time_nanos, duration_nanos, ticks, pprof, crc FROM profile WHERE id = $id";
        command.Parameters.AddWithValue("$id", id);
        using var rows = command.ExecuteReader();
        if (!rows.Read())
        {
            return null;
        }

        var (labels, pprof) = (rows.GetFieldValue<byte[]>(0), rows.GetFieldValue<byte[]>(4));
        return Checksum(labels, pprof) == rows.GetInt64(5)
            ? new EncodedProfile(LabelBytes.Read(labels), rows.GetInt64(1), rows.GetInt64(2), rows.GetInt64(3), pprof)
            : null;
    }

    /// <summary>Profiles to drop: those from before <paramref name="oldestNanos"/>, and the oldest of the rest while more than <paramref name="bytes"/> remain.</summary>
    /// <returns>By destination, the entries and why they go.</returns>
    public IReadOnlyList<(string Destination, OutboxEntry Entry, string Reason)> Overdue(long oldestNanos, long bytes)
    {
        var overdue = new List<(string, OutboxEntry, string)>();
        var remaining = Bytes();
        var evicted = new HashSet<long>();
        using var command = _connection.CreateCommand();
        command.CommandText =
            """
            SELECT destination, profile.id, series, time_nanos, ticks, length(pprof) FROM profile JOIN pending ON pending.profile = profile.id
            ORDER BY time_nanos, profile.id
            """;
        using var rows = command.ExecuteReader();
        while (rows.Read())
        {
            var entry = new OutboxEntry(rows.GetInt64(1), (ulong)rows.GetInt64(2), rows.GetInt64(3), rows.GetInt64(4), rows.GetInt32(5));
            var expired = entry.TimeNanos < oldestNanos;
            if (!expired && remaining <= bytes && !evicted.Contains(entry.Id))
            {
                break;
            }

            remaining -= evicted.Add(entry.Id) ? entry.Bytes : 0;
            overdue.Add((rows.GetString(0), entry, expired ? "expired" : "evicted"));
        }

        return overdue;
    }

    private void RestoreTimes()
    {
        using var command = _connection.CreateCommand();
        command.CommandText = "SELECT series, last_millis FROM series_time";
        using var rows = command.ExecuteReader();
        while (rows.Read())
        {
            _times.Restore((ulong)rows.GetInt64(0), rows.GetInt64(1));
        }
    }
}
