using System.Collections.Immutable;
using System.IO.Hashing;
using ActorProfiler.Aggregator.Aggregation;
using ActorProfiler.Aggregator.Pprof;
using ActorProfiler.Labels;
using Microsoft.Data.Sqlite;

namespace ActorProfiler.Aggregator.Outbox;

/// <summary>
/// The durable log of encoded profiles: what is waiting for which destination, and which batches are in it. One SQLite file; a commit is on
/// disk when it returns.
/// </summary>
/// <remarks>
/// <see cref="Commit"/> and the other members that change it are for one thread at a time; <see cref="Read"/> is for any thread.
/// Why SQLite: docs/decisions/0004-outbox.md.
/// </remarks>
internal sealed class ProfileOutbox : IDisposable
{
    private readonly string _readers;
    private readonly SqliteConnection _connection;
    private readonly TimeProvider _clock;
    private readonly SeriesTimes _times;
    private readonly OutboxStatements _sql;

    private ProfileOutbox(string path, SqliteConnection connection, ImmutableArray<string> destinations, SeriesTimes times, TimeProvider clock)
    {
        _connection = connection;
        _readers = OutboxFile.ConnectionString(path, SqliteOpenMode.ReadOnly, pooling: true);
        Destinations = destinations;
        _times = times;
        _clock = clock;
        _sql = new OutboxStatements(connection);
    }

    /// <summary>Opens or creates the outbox in <paramref name="folder"/>.</summary>
    /// <param name="destinations">Who gets what is appended; profiles waiting for anybody else are dropped.</param>
    /// <param name="times">Takes up the times of the series in the file; what it hands out is stored with the profiles.</param>
    /// <param name="damaged">Where a damaged file of an earlier start was moved, or null.</param>
    /// <exception cref="SqliteException">The file cannot be opened: folder missing, no right, disk full, in use by another process.</exception>
    public static ProfileOutbox Open(
        string folder, IEnumerable<string> destinations, SeriesTimes times, TimeProvider clock, out string? damaged)
    {
        var path = Path.Combine(folder, "outbox.db");
        var connection = OutboxFile.Open(path, clock, out damaged);
        var outbox = new ProfileOutbox(path, connection, [.. destinations], times, clock);
        outbox.RestoreTimes();
        return outbox;
    }

    /// <summary>Who gets what is appended from now on. May be set while another thread appends.</summary>
    public ImmutableArray<string> Destinations { get; set; }

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

    /// <summary>Makes all changes, or none and throws.</summary>
    /// <returns>The new entries by destination.</returns>
    /// <exception cref="SqliteException">The disk is full or failed; the same changes may be committed again later.</exception>
    public IReadOnlyDictionary<string, ImmutableArray<OutboxEntry>> Commit(IReadOnlyList<OutboxChange> changes)
    {
        var added = new Dictionary<string, ImmutableArray<OutboxEntry>.Builder>(StringComparer.Ordinal);
        _sql.Begin();
        try
        {
            foreach (var change in changes)
            {
                Make(change, added);
            }

            _sql.Commit();
        }
        catch (SqliteException)
        {
            _sql.Rollback();
            throw;
        }

        return added.ToDictionary(pair => pair.Key, pair => pair.Value.ToImmutable(), StringComparer.Ordinal);
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

    /// <summary>Bytes of all profiles.</summary>
    public long Bytes() => _sql.Bytes();

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

    public void Dispose()
    {
        _sql.Dispose();
        _connection.Dispose();
        using var readers = new SqliteConnection(_readers);
        SqliteConnection.ClearPool(readers);
    }

    private void Make(OutboxChange change, Dictionary<string, ImmutableArray<OutboxEntry>.Builder> added)
    {
        switch (change)
        {
            case OutboxChange.Append append:
                Append(append, added);
                break;
            case OutboxChange.Settle settle:
                Settle(settle.Destination, settle.Profile);
                break;
            case OutboxChange.Replace replace:
                Insert(replace.Parts, [replace.Destination], added);
                Settle(replace.Destination, replace.Profile);
                break;
            case OutboxChange.Forget forget:
                _sql.ForgetBatches(forget.Before.ToUnixTimeMilliseconds());
                _sql.ForgetTimes(forget.Before.ToUnixTimeMilliseconds());
                break;
        }
    }

    private void Append(OutboxChange.Append append, Dictionary<string, ImmutableArray<OutboxEntry>.Builder> added)
    {
        var destinations = Destinations;
        if (destinations.Length > 0)
        {
            Insert(append.Parts, destinations, added);
        }

        var now = _clock.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (var batch in append.Batches)
        {
            _sql.InsertBatch(batch, now);
        }
    }

    private void Insert(
        ImmutableArray<EncodedProfile> parts, ImmutableArray<string> destinations, Dictionary<string, ImmutableArray<OutboxEntry>.Builder> added)
    {
        foreach (var part in parts)
        {
            var labels = LabelBytes.Write(part.Labels);
            var pprof = part.Pprof.ToArray();
            var id = _sql.InsertProfile(part, labels, pprof, Checksum(labels, pprof));
            var entry = new OutboxEntry(id, part.Labels.Hash, part.TimeNanos, part.Ticks, pprof.Length);
            foreach (var destination in destinations)
            {
                _sql.InsertPending(destination, id);
                if (!added.TryGetValue(destination, out var entries))
                {
                    added.Add(destination, entries = ImmutableArray.CreateBuilder<OutboxEntry>());
                }

                entries.Add(entry);
            }

            if (_times.LastMillis(part.Labels.Hash) is { } last)
            {
                _sql.UpsertTime(part.Labels.Hash, last);
            }
        }
    }

    private void Settle(string destination, long profile)
    {
        _sql.DeletePending(destination, profile);
        _sql.DeleteProfile(profile);
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

    private static long Checksum(byte[] labels, byte[] pprof)
    {
        var crc = new Crc32();
        crc.Append(labels);
        crc.Append(pprof);
        return crc.GetCurrentHashAsUInt32();
    }
}
