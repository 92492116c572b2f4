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
            for (var step = 0; step < 12; step++)
            {
                var filesBefore = LogFiles(folder);
                var after = before.Copy();
                Change(outbox, after, random);

                // The crash tears the commit off anywhere between its first and its last byte.
                using var crashed = folder.Copy();
                var isTorn = Tear(crashed, filesBefore, random);

                // A restart, and one more: what the first has done to the files must not matter.
                var found = Reopened(crashed);
                Assert.True(isTorn ? found.IsBetween(before, after) : found.IsSameAs(after), $"after {step} steps: {found} does not lie between {before} and {after}");
                Assert.True(Reopened(crashed).IsSameAs(found), "a second restart changed what was found");
                before = after;
            }
        },
        iter: 25,
        threads: 1);

    [Fact]
    public void Damage_loses_what_it_hit_and_every_lost_tick_is_counted() => Gen.Int.Sample(
        seed =>
        {
            using var folder = new TemporaryFolder();
            var random = new Random(seed);
            var model = new Model { IsNothingSettled = random.Next(2) == 0 };
            using var outbox = Open(folder);
            for (var step = 0; step < 12; step++)
            {
                Change(outbox, model, random);
            }

            using var damaged = folder.Copy();
            Damage(damaged, random);

            using var recovered = Open(damaged);
            var found = Model.Of(recovered);
            Assert.All(found.Pending, pair => Assert.Contains(pair.Value, model.Contents));
            foreach (var destination in _destinations)
            {
                var (lostProfiles, lostTicks) = recovered.Damage.Lost.GetValueOrDefault(destination);
                var missing = model.Pending.Keys.Where(key => key.Destination == destination && !found.Pending.ContainsKey(key)).ToList();

                // What lay in one damaged record with the word that it was settled comes again, or counts as lost: never less than is missing.
                Assert.True(lostProfiles >= missing.Count, $"{missing.Count} are missing, {lostProfiles} counted");
                Assert.True(lostTicks >= missing.Sum(key => model.Ticks[key.Id]), $"{missing.Sum(key => model.Ticks[key.Id])} ticks are missing, {lostTicks} counted");
                Assert.True(missing.Count > 0 || !model.IsNothingSettled || lostProfiles == 0, $"{lostProfiles} counted, none is missing");
                Assert.True(!model.IsNothingSettled || lostTicks == missing.Sum(key => model.Ticks[key.Id]), "the ticks differ");
            }
        },
        iter: 200,
        threads: 1);

    [Fact]
    public void What_is_lost_is_counted_once()
    {
        using var folder = new TemporaryFolder();
        var (random, model) = (new Random(1), new Model { IsNothingSettled = true });
        using (var outbox = Open(folder))
        {
            for (var step = 0; step < 6; step++)
            {
                Change(outbox, model, random);
            }
        }

        var log = LogFiles(folder).Keys.Order(StringComparer.Ordinal).First();
        Overwrite(Path.Combine(folder.Path, log), 100, new byte[50]);
        using (var first = Open(folder))
        {
            Assert.Equal(_destinations, first.Damage.Lost.Keys.Order(StringComparer.Ordinal));
            Change(first, model, random);
        }

        using var second = Open(folder);

        Assert.Empty(second.Damage.Lost);
    }

    [Fact]
    public void A_segment_that_goes_takes_nothing_along_that_is_still_needed() => Gen.Int.Sample(
        seed =>
        {
            using var folder = new TemporaryFolder();
            var random = new Random(seed);
            var model = new Model();
            using var outbox = Open(folder);
            for (var step = 0; step < 40; step++)
            {
                Change(outbox, model, random);
                foreach (var key in model.Pending.Keys.Where(_ => random.Next(2) == 0).ToList())
                {
                    outbox.Commit([new OutboxChange.Settle(key.Destination, key.Id)]);
                    model.Pending.Remove(key);
                }

                outbox.Commit([new OutboxChange.Forget(DateTimeOffset.MinValue)]);
            }

            Assert.True(Model.Of(outbox).Pending.Count == model.Pending.Count, "the running outbox differs");
            using var copy = folder.Copy();
            using var again = Open(copy);
            Assert.True(Model.Of(again, again.Remembered).IsSameAs(model), $"{Model.Of(again, again.Remembered)} is not {model}");
            Assert.Empty(again.Damage.Lost);
            Assert.True(LogFiles(folder).Count < 10, "no segment went");
        },
        iter: 20,
        threads: 1);

    private static void Change(ProfileOutbox outbox, Model model, Random random)
    {
        var changes = new List<OutboxChange>();
        for (var i = random.Next(1, 4); i > 0; i--)
        {
            var waiting = model.Pending.Keys.ToList();
            if (!model.IsNothingSettled && waiting.Count > 0 && random.Next(3) == 0)
            {
                var (destination, id) = waiting[random.Next(waiting.Count)];
                changes.Add(new OutboxChange.Settle(destination, id));
                model.Pending.Remove((destination, id));
                continue;
            }

            var batch = new BatchId(Guid.NewGuid(), 1, (ulong)random.NextInt64());
            var text = $"{random.NextInt64():x}-" + new string('x', random.Next(20_000));
            changes.Add(new OutboxChange.Append([new EncodedProfile(Samples.Web, 1, 1, random.Next(1, 1000), Encoding.UTF8.GetBytes(text))], [batch]));
            model.Batches.Add(batch);
            model.Contents.Add(text);
        }

        foreach (var (destination, entries) in outbox.Commit(changes))
        {
            foreach (var entry in entries)
            {
                model.Pending.Add((destination, entry.Id), Text(outbox.Read(entry.Id)!));
                model.Ticks[entry.Id] = entry.Ticks;
            }
        }
    }

    private static string Text(EncodedProfile profile) => Encoding.UTF8.GetString(profile.Pprof.Span);

    private static ProfileOutbox Open(TemporaryFolder folder) =>
        ProfileOutbox.Open(folder.Path, _destinations, new SeriesTimes(), new FakeTimeProvider(), segmentBytes: 60_000);

    private static Model Reopened(TemporaryFolder folder)
    {
        using var outbox = Open(folder);
        Assert.Empty(outbox.Damage.Lost);
        return Model.Of(outbox, outbox.Remembered);
    }

    private static Dictionary<string, long> LogFiles(TemporaryFolder folder) =>
        Directory.GetFiles(folder.Path, "*.log").ToDictionary(file => Path.GetFileName(file), file => new FileInfo(file).Length);

    private static bool Tear(TemporaryFolder folder, Dictionary<string, long> before, Random random)
    {
        var (name, length) = LogFiles(folder).Where(file => file.Value > before.GetValueOrDefault(file.Key)).Select(file => (file.Key, file.Value)).SingleOrDefault();
        if (name is null)
        {
            return false;
        }

        // Not into the mark at the end, which is written when the commit is on disk; nor is there one elsewhere.
        using var log = new FileStream(Path.Combine(folder.Path, name), FileMode.Open);
        log.SetLength(random.NextInt64(before.GetValueOrDefault(name), length + 1 - LogFrame.HeaderBytes));
        File.Delete(Path.Combine(folder.Path, "outbox.mark"));
        return true;
    }

    private static void Damage(TemporaryFolder folder, Random random)
    {
        var files = LogFiles(folder).Keys.Order(StringComparer.Ordinal).Select(name => Path.Combine(folder.Path, name)).ToList();
        var file = files[random.Next(files.Count)];
        var length = new FileInfo(file).Length;
        switch (random.Next(4))
        {
            case 0:
                for (var i = 0; i < 20; i++)
                {
                    Flip(files[random.Next(files.Count)], random);
                }

                break;
            case 1:
                Overwrite(file, random.NextInt64(length), new byte[random.Next(1, 8192)]);
                break;
            case 2 when files.Count > 1:
                File.Delete(file);
                break;
            default:
                var garbage = new byte[random.Next(1, 4096)];
                random.NextBytes(garbage);
                File.WriteAllBytes(Path.Combine(folder.Path, "outbox-garbage.log"), garbage);
                Overwrite(file, random.NextInt64(length), garbage);
                break;
        }
    }

    private static void Overwrite(string path, long offset, byte[] bytes)
    {
        using var file = new FileStream(path, FileMode.Open);
        file.Position = offset;
        file.Write(bytes, 0, (int)Math.Min(bytes.Length, file.Length - offset));
    }

    private static void Flip(string path, Random random)
    {
        using var file = new FileStream(path, FileMode.Open);
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

        public Dictionary<long, long> Ticks { get; private init; } = [];

        public bool IsNothingSettled { get; init; }

        public static Model Of(ProfileOutbox outbox, IEnumerable<BatchId>? batches = null) => new()
        {
            Pending = _destinations
                .SelectMany(destination => outbox.Pending(destination).Select(entry => ((destination, entry.Id), Text(outbox.Read(entry.Id)!))))
                .ToDictionary(),
            Batches = [.. batches ?? []],
        };

        public Model Copy() => new() { Pending = new(Pending), Batches = [.. Batches], Contents = [.. Contents], Ticks = new(Ticks) };

        public bool IsSameAs(Model other) =>
            Batches.SetEquals(other.Batches) && Pending.Count == other.Pending.Count && Pending.All(pair => other.Pending.GetValueOrDefault(pair.Key) == pair.Value);

        /// <summary>Whether this has all of <paramref name="before"/> and some whole changes of those that lead to <paramref name="after"/>.</summary>
        public bool IsBetween(Model before, Model after)
        {
            var added = Pending.Keys.Except(before.Pending.Keys).ToList();
            return before.Batches.IsSubsetOf(Batches) && Batches.IsSubsetOf(after.Batches)
                && before.Pending.Keys.Except(Pending.Keys).All(key => !after.Pending.ContainsKey(key))
                && added.All(after.Pending.ContainsKey) && added.Count == _destinations.Length * (Batches.Count - before.Batches.Count);
        }

        public override string ToString() => $"{Pending.Count} waiting, {Batches.Count} batches";
    }
}
