using ActorProfiler.Aggregator.Aggregation;
using ActorProfiler.Aggregator.Pprof;
using Microsoft.Data.Sqlite;

namespace ActorProfiler.Aggregator.Outbox;

/// <summary>The prepared statements of <see cref="ProfileOutbox"/>.</summary>
internal sealed class OutboxStatements(SqliteConnection connection) : IDisposable
{
    private readonly Statement _begin = new(connection, "BEGIN IMMEDIATE", 0);
    private readonly Statement _commit = new(connection, "COMMIT", 0);

    private readonly Statement _insertProfile = new(
        connection,
        """
        INSERT INTO profile (series, labels, time_nanos, duration_nanos, ticks, crc, pprof)
        VALUES ($0, $1, $2, $3, $4, $5, $6) RETURNING id
        """,
        7);

    private readonly Statement _insertPending = new(connection, "INSERT INTO pending VALUES ($0, $1)", 2);
    private readonly Statement _insertBatch = new(connection, "INSERT OR IGNORE INTO batch VALUES ($0, $1, $2, $3)", 4);
    private readonly Statement _deletePending = new(connection, "DELETE FROM pending WHERE destination = $0 AND profile = $1", 2);

    private readonly Statement _deleteProfile = new(
        connection, "DELETE FROM profile WHERE id = $0 AND NOT EXISTS (SELECT 1 FROM pending WHERE profile = $0)", 1);

    private readonly Statement _upsertTime = new(
        connection, "INSERT INTO series_time VALUES ($0, $1) ON CONFLICT (series) DO UPDATE SET last_millis = excluded.last_millis", 2);

    private readonly Statement _forgetBatches = new(connection, "DELETE FROM batch WHERE stored_millis < $0", 1);
    private readonly Statement _forgetTimes = new(connection, "DELETE FROM series_time WHERE last_millis < $0", 1);
    private readonly Statement _bytes = new(connection, "SELECT coalesce(sum(length(pprof)), 0) FROM profile", 0);

    public void Begin() => _begin.Run();

    public void Commit() => _commit.Run();

    /// <summary>Undoes what is left of a failed transaction; after some failures SQLite has done so itself.</summary>
    public void Rollback()
    {
        if (SQLitePCL.raw.sqlite3_get_autocommit(connection.Handle) == 0)
        {
            using var command = connection.CreateCommand();
            command.CommandText = "ROLLBACK";
            command.ExecuteNonQuery();
        }
    }

    public long InsertProfile(EncodedProfile profile, byte[] labels, byte[] pprof, long checksum) => (long)_insertProfile.Run(
        (long)profile.Labels.Hash, labels, profile.TimeNanos, profile.DurationNanos, profile.Ticks, checksum, pprof)!;

    public void InsertPending(string destination, long profile) => _insertPending.Run(destination, profile);

    public void InsertBatch(BatchId batch, long nowMillis) =>
        _insertBatch.Run(batch.Collector.ToByteArray(), (long)batch.Epoch, (long)batch.Sequence, nowMillis);

    public void DeletePending(string destination, long profile) => _deletePending.Run(destination, profile);

    public void DeleteProfile(long profile) => _deleteProfile.Run(profile);

    public void UpsertTime(ulong series, long lastMillis) => _upsertTime.Run((long)series, lastMillis);

    public void ForgetBatches(long beforeMillis) => _forgetBatches.Run(beforeMillis);

    public void ForgetTimes(long beforeMillis) => _forgetTimes.Run(beforeMillis);

    public long Bytes() => (long)_bytes.Run()!;

    public void Dispose()
    {
        foreach (var statement in (Statement[])
            [_begin, _commit, _insertProfile, _insertPending, _insertBatch, _deletePending, _deleteProfile, _upsertTime, _forgetBatches, _forgetTimes, _bytes])
        {
            statement.Dispose();
        }
    }

    private sealed class Statement : IDisposable
    {
        private readonly SqliteCommand _command;

        public Statement(SqliteConnection connection, string sql, int parameters)
        {
            _command = connection.CreateCommand();
#pragma warning disable CA2100 // constants of this file
            _command.CommandText = sql;
#pragma warning restore CA2100
            for (var i = 0; i < parameters; i++)
            {
                _command.Parameters.Add(new SqliteParameter($"${i}", null));
            }
        }

        public object? Run(params ReadOnlySpan<object> values)
        {
            for (var i = 0; i < values.Length; i++)
            {
                _command.Parameters[i].Value = values[i];
            }

            return _command.ExecuteScalar();
        }

        public void Dispose() => _command.Dispose();
    }
}
