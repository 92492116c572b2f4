using System.Globalization;
using Microsoft.Data.Sqlite;

namespace ActorProfiler.Aggregator.Outbox;

/// <summary>Opens the outbox's file, with its schema.</summary>
internal static class OutboxFile
{
    // https://www.sqlite.org/rescode.html
    private const int Corrupt = 11;
    private const int NotADatabase = 26;

    private const long SchemaVersion = 1;

    private const string Schema =
        """
        CREATE TABLE profile (
          id INTEGER PRIMARY KEY AUTOINCREMENT, series INTEGER NOT NULL, labels BLOB NOT NULL, time_nanos INTEGER NOT NULL,
          duration_nanos INTEGER NOT NULL, ticks INTEGER NOT NULL, crc INTEGER NOT NULL, pprof BLOB NOT NULL) STRICT;
        CREATE INDEX profile_time ON profile (time_nanos);
        CREATE TABLE pending (destination TEXT NOT NULL, profile INTEGER NOT NULL, PRIMARY KEY (destination, profile)) STRICT, WITHOUT ROWID;
        CREATE INDEX pending_profile ON pending (profile);
        CREATE TABLE batch (
          collector BLOB NOT NULL, epoch INTEGER NOT NULL, sequence INTEGER NOT NULL, stored_millis INTEGER NOT NULL,
          PRIMARY KEY (collector, epoch, sequence)) STRICT, WITHOUT ROWID;
        CREATE TABLE series_time (series INTEGER PRIMARY KEY, last_millis INTEGER NOT NULL) STRICT;
        """;

    /// <param name="damaged">Where a damaged file was moved, or null.</param>
    /// <exception cref="SqliteException">The file cannot be opened, for another reason than damage.</exception>
    public static SqliteConnection Open(string path, TimeProvider clock, out string? damaged)
    {
        damaged = null;
        try
        {
            return OpenSound(path);
        }
        catch (SqliteException broken) when (broken.SqliteErrorCode is Corrupt or NotADatabase)
        {
            damaged = MoveAside(path, clock);
            return OpenSound(path);
        }
    }

    public static string ConnectionString(string path, SqliteOpenMode mode, bool pooling) =>
        new SqliteConnectionStringBuilder { DataSource = path, Mode = mode, Pooling = pooling, DefaultTimeout = 5 }.ToString();

    private static SqliteConnection OpenSound(string path)
    {
        var connection = new SqliteConnection(ConnectionString(path, SqliteOpenMode.ReadWriteCreate, pooling: false));
        try
        {
            connection.Open();
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }

            Execute(connection, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA locking_mode = NORMAL; PRAGMA wal_autocheckpoint = 1000;");
            CreateSchema(connection);
            Check(connection);
            return connection;
        }
        catch (SqliteException)
        {
            connection.Dispose();
            throw;
        }
    }

    private static void CreateSchema(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA user_version";
        if ((long)command.ExecuteScalar()! != SchemaVersion)
        {
            Execute(connection, $"BEGIN IMMEDIATE; {Schema} PRAGMA user_version = {SchemaVersion}; COMMIT;");
        }
    }

    private static void Check(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA quick_check(1)";
        if ((string)command.ExecuteScalar()! is var result and not "ok")
        {
            throw new SqliteException($"check the outbox: {result}", Corrupt);
        }
    }

    private static string MoveAside(string path, TimeProvider clock)
    {
        var aside = $"{path}.damaged-{clock.GetUtcNow().ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture)}";
        File.Move(path, aside, overwrite: true);
        foreach (var suffix in (string[])["-wal", "-shm"])
        {
            if (File.Exists(path + suffix))
            {
                File.Move(path + suffix, aside + suffix, overwrite: true);
            }
        }

        return aside;
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // constants of this file
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }
}
