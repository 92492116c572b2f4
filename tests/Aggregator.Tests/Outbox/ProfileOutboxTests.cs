using System.Text;
using ActorProfiler.Aggregator.Aggregation;
using ActorProfiler.Aggregator.Outbox;
using ActorProfiler.Aggregator.Pprof;
using ActorProfiler.Labels;
using Microsoft.Extensions.Time.Testing;

namespace ActorProfiler.Tests.Outbox;

public sealed class ProfileOutboxTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _clock = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Keeps_profiles_and_batches_of_a_commit_over_a_kill()
    {
        var batch = new BatchId(Guid.NewGuid(), ulong.MaxValue, 7);
        var profile = Profile("first", 5);
        using var killed = Open("a", "b");
        killed.Commit([new OutboxChange.Append([profile], [batch])]);

        using var left = _folder.Copy();
        using var outbox = ProfileOutbox.Open(left.Path, ["a", "b"], new SeriesTimes(), _clock);

        Assert.Equal([batch], outbox.Remembered);
        Assert.Equal(outbox.Pending("a"), outbox.Pending("b"));
        var read = outbox.Read(Assert.Single(outbox.Pending("a")).Id)!;
        Assert.Equal((profile.Labels, profile.TimeNanos, profile.Ticks), (read.Labels, read.TimeNanos, read.Ticks));
        Assert.Equal(profile.Pprof.ToArray(), read.Pprof.ToArray());
    }

    [Fact]
    public void Deletes_a_profile_when_its_last_destination_has_it()
    {
        using var outbox = Open("a", "b");
        var id = outbox.Commit([new OutboxChange.Append([Profile("first", 5)], [])])["a"][0].Id;

        outbox.Commit([new OutboxChange.Settle("a", id)]);
        Assert.NotNull(outbox.Read(id));
        outbox.Commit([new OutboxChange.Settle("b", id)]);

        Assert.Null(outbox.Read(id));
        Assert.Empty(outbox.Pending("b"));
    }

    [Fact]
    public void Remembers_the_last_time_of_a_series()
    {
        using (var outbox = ProfileOutbox.Open(_folder.Path, ["a"], Times(out var times), _clock))
        {
            times.Take(Samples.Web, 5_000_000);
            outbox.Commit([new OutboxChange.Append([Profile("x", 5) with { Labels = Samples.Web }], [])]);
        }

        using var again = ProfileOutbox.Open(_folder.Path, ["a"], Times(out var restored), _clock);

        Assert.Equal(6_000_000, restored.Take(Samples.Web, 5_000_000));
    }

    [Fact]
    public void Finds_what_is_too_old_and_then_the_oldest_files_of_what_is_too_much()
    {
        using var outbox = ProfileOutbox.Open(_folder.Path, ["a"], new SeriesTimes(), _clock, segmentBytes: 1);
        foreach (var (name, millis) in new[] { ("first", 2), ("old", 1), ("new", 3), ("newest", 4) })
        {
            outbox.Commit([new OutboxChange.Append([Profile(name, millis)], [])]);
        }

        var overdue = outbox.Overdue(oldestNanos: 2_000_000, bytes: outbox.Bytes * 3 / 4);

        Assert.Equal([("evicted", 2_000_000L), ("expired", 1_000_000)], overdue.Select(item => (item.Reason, item.Entry.TimeNanos)));
    }

    [Fact]
    public void Starts_beside_files_that_are_no_log()
    {
        File.WriteAllText(Path.Combine(_folder.Path, "outbox-x.log"), new string('x', 10_000));
        File.WriteAllText(Path.Combine(_folder.Path, "outbox-00000001-0000000000000001-0000000000000000.log"), new string('x', 10_000));

        using var outbox = Open("a");

        Assert.Empty(outbox.Pending("a"));
        Assert.True(outbox.Damage.IsTailTorn);
    }

    [Fact]
    public void Is_for_one_process()
    {
        using var outbox = Open("a");

        var failure = Assert.Throws<IOException>(() => Open("a"));

        Assert.Contains("another aggregator", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Skips_a_profile_whose_bytes_are_damaged_while_it_runs()
    {
        var text = new string('p', 100);
        using var outbox = Open("a");
        outbox.Commit([new OutboxChange.Append([Profile(text, 5)], [])]);
        var path = Assert.Single(Directory.GetFiles(_folder.Path, "*.log"));
        var bytes = File.ReadAllBytes(path);
        bytes[bytes.AsSpan().LastIndexOf(Encoding.UTF8.GetBytes(text))] ^= 1;
        File.WriteAllBytes(path, bytes);

        Assert.Null(outbox.Read(Assert.Single(outbox.Pending("a")).Id));
    }

    [Fact]
    public async Task Goes_on_when_a_full_disk_has_space_again()
    {
        Requirements.Mount();
        Assert.True(await RunAsync("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", _folder.Path));
        try
        {
            using var outbox = Open("a");
            var filler = Path.Combine(_folder.Path, "filler");
            await File.WriteAllBytesAsync(filler, new byte[700_000]);
            var big = Profile(new string('x', 300_000), 5);

            Assert.Throws<IOException>(() => outbox.Commit([new OutboxChange.Append([big], [])]));
            Assert.Empty(outbox.Pending("a"));
            File.Delete(filler);
            outbox.Commit([new OutboxChange.Append([big], [])]);

            Assert.Equal(300_000, outbox.Read(Assert.Single(outbox.Pending("a")).Id)!.Pprof.Length);
        }
        finally
        {
            await RunAsync("umount", "-l", _folder.Path);
        }
    }

    private static async Task<bool> RunAsync(string program, params string[] arguments)
    {
        using var process = System.Diagnostics.Process.Start(program, arguments);
        await process.WaitForExitAsync();
        return process.ExitCode == 0;
    }

    private static SeriesTimes Times(out SeriesTimes times) => times = new SeriesTimes();

    private static EncodedProfile Profile(string content, long millis) =>
        new(LabelSet.Of(("content", content)), millis * 1_000_000, 1, 2, Encoding.UTF8.GetBytes(content));

    private ProfileOutbox Open(params string[] destinations) => ProfileOutbox.Open(_folder.Path, destinations, new SeriesTimes(), _clock);
}
