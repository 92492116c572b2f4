using System.Text;
using ActorProfiler.Aggregator.Aggregation;
using ActorProfiler.Aggregator.Outbox;
using ActorProfiler.Aggregator.Pprof;
using CsCheck;
using Microsoft.Extensions.Time.Testing;

namespace ActorProfiler.Tests.Outbox;

/// <summary>Random changes, with a crash at every step and damage of every kind, against a model that is a set in memory.</summary>
public class OutboxModelTests
{
    private static readonly string[] _destinations = ["a", "b"];

    [Fact]
    public void What_was_committed_survives_a_crash_at_any_moment_of_the_next_commit() => Gen.Int.Sample(
        seed =>
        {
            using var folder = new TemporaryFolder();
            var random = new Random(seed);
            var before = new Model();
            using var outbox = Open(folder);
            for (var step = 0; step < 8; step++)
            {
                var walBefore = WalBytes(folder);
                var after = before.Copy();
                Change(outbox, after, random);

                // The crash tears the commit off anywhere between its first and its last byte.
                using var crashed = folder.Copy();
                var wal = WalBytes(crashed);
                var isTorn = wal > walBefore;
                if (isTorn)
                {
                    Truncate(crashed, random.NextInt64(walBefore, wal + 1));
                }

                using var recovered = Open(crashed);
                var found = Model.Of(recovered);
                Assert.True(found.IsSameAs(after) || (isTorn && found.IsSameAs(before)), $"after {step} steps: {found} is neither {before} nor {after}");
                before = after;
            }
        },
        iter: 25,
        threads: 1);

    [Fact]
    public void Flipped_bytes_never_become_a_profile_that_was_not_stored() => Gen.Int.Sample(
        seed =>
        {
            using var folder = new TemporaryFolder();
            var random = new Random(seed);
            var model = new Model();
            using var outbox = Open(folder);
            for (var step = 0; step < 4; step++)
            {
                Change(outbox, model, random);
            }

            using var damaged = folder.Copy();
            for (var i = 0; i < 3; i++)
            {
                Flip(damaged, random);
            }

            using var recovered = Open(damaged);
            foreach (var destination in _destinations)
            {
                Assert.All(recovered.Pending(destination), entry =>
                    Assert.True(recovered.Read(entry.Id) is not { } profile || model.Contents.Contains(Text(profile)), "a profile that was never stored"));
            }
        },
        iter: 40,
        threads: 1);

    private static void Change(ProfileOutbox outbox, Model model, Random random)
    {
        var changes = new List<OutboxChange>();
        for (var i = random.Next(1, 4); i > 0; i--)
        {
            var waiting = model.Pending.Keys.ToList();
            if (waiting.Count > 0 && random.Next(3) == 0)
            {
                var (destination, id) = waiting[random.Next(waiting.Count)];
                changes.Add(new OutboxChange.Settle(destination, id));
                model.Pending.Remove((destination, id));
                continue;
            }

            var batch = new BatchId(Guid.NewGuid(), 1, (ulong)random.NextInt64());
            var text = $"{random.NextInt64():x}-" + new string('x', random.Next(20_000));
            changes.Add(new OutboxChange.Append([new EncodedProfile(Samples.Web, 1, 1, 1, Encoding.UTF8.GetBytes(text))], [batch]));
            model.Batches.Add(batch);
            model.Contents.Add(text);
        }

        foreach (var (destination, entries) in outbox.Commit(changes))
        {
            foreach (var entry in entries)
            {
                model.Pending.Add((destination, entry.Id), Text(outbox.Read(entry.Id)!));
            }
        }
    }

    private static string Text(EncodedProfile profile) => Encoding.UTF8.GetString(profile.Pprof.Span);

    private static ProfileOutbox Open(TemporaryFolder folder) => ProfileOutbox.Open(folder.Path, _destinations, new SeriesTimes(), new FakeTimeProvider(), out _);

    private static long WalBytes(TemporaryFolder folder) => new FileInfo(Path.Combine(folder.Path, "outbox.db-wal")) is { Exists: true } wal ? wal.Length : 0;

    private static void Truncate(TemporaryFolder folder, long length)
    {
        using var wal = new FileStream(Path.Combine(folder.Path, "outbox.db-wal"), FileMode.Open);
        wal.SetLength(length);
    }

    private static void Flip(TemporaryFolder folder, Random random)
    {
        var files = Directory.GetFiles(folder.Path).Where(file => !file.EndsWith("-shm", StringComparison.Ordinal) && new FileInfo(file).Length > 0).Order().ToList();
        using var file = new FileStream(files[random.Next(files.Count)], FileMode.Open);
        file.Position = random.NextInt64(file.Length);
        var value = file.ReadByte();
        file.Position--;
        file.WriteByte((byte)(value ^ (1 << random.Next(8))));
    }

    private sealed class Model
    {
        public Dictionary<(string Destination, long Id), string> Pending { get; private init; } = [];

        public HashSet<BatchId> Batches { get; private init; } = [];

        /// <summary>Every content that was ever stored.</summary>
        public HashSet<string> Contents { get; private init; } = [];

        public static Model Of(ProfileOutbox outbox) => new()
        {
            Pending = _destinations
                .SelectMany(destination => outbox.Pending(destination).Select(entry => ((destination, entry.Id), Text(outbox.Read(entry.Id)!))))
                .ToDictionary(),
            Batches = [.. outbox.Batches()],
        };

        public Model Copy() => new() { Pending = new(Pending), Batches = [.. Batches], Contents = [.. Contents] };

        public bool IsSameAs(Model other) =>
            Batches.SetEquals(other.Batches) && Pending.Count == other.Pending.Count && Pending.All(pair => other.Pending.GetValueOrDefault(pair.Key) == pair.Value);

        public override string ToString() => $"{Pending.Count} waiting, {Batches.Count} batches";
    }
}
