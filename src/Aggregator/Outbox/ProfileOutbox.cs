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
internal sealed partial class ProfileOutbox : IDisposable
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

    /// <summary>Bytes of all profiles.</summary>
    public long Bytes() => _sql.Bytes();

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

    private static long Checksum(byte[] labels, byte[] pprof)
    {
        var crc = new Crc32();
        crc.Append(labels);
        crc.Append(pprof);
        return crc.GetCurrentHashAsUInt32();
    }
}
