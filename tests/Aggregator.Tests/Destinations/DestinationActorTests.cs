using System.Collections.Concurrent;
using ActorProfiler.Aggregator;
using ActorProfiler.Aggregator.Destinations;
using ActorProfiler.Aggregator.Pprof;
using Akka.Actor;
using Microsoft.Extensions.Time.Testing;

namespace ActorProfiler.Tests.Destinations;

public sealed class DestinationActorTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _clock = new(DateTimeOffset.FromUnixTimeMilliseconds(Samples.Start / 1_000_000));
    private readonly ScriptedDestination _destination = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Keeps_profiles_while_credentials_are_wrong_and_delivers_them_after()
    {
        _destination.Answer = (_, attempt) => attempt < 3 ? new(WriteOutcome.Verdict.Misconfigured, "unauthorized", "no org id") : WriteOutcome.Delivered;
        await using var aggregator = await StartAsync();

        Send(aggregator, 1);

        await Eventually.TrueAsync(() => Ledger(aggregator).Delivered == 1);
        Assert.Equal(3, _destination.Attempts.Count);
        Assert.Equal(0, Ledger(aggregator).DroppedInAll);
        Assert.Contains("no org id", aggregator.System.Destinations[0].Current.LastError);
        Assert.True(aggregator.System.Destinations[0].Current.Healthy);
    }

    [Fact]
    public async Task Keeps_a_rejected_profile_as_a_dead_letter_and_delivers_the_others()
    {
        _destination.Answer = (profile, _) => profile.Ticks == 2 ? new(WriteOutcome.Verdict.Rejected, "rejected", "empty profile") : WriteOutcome.Delivered;
        await using var aggregator = await StartAsync();

        Send(aggregator, 1, 2, 3);

        await Eventually.TrueAsync(() => Ledger(aggregator).InFlight == 0 && Ledger(aggregator).Ticks == 6);
        Assert.Equal((4, 2), (Ledger(aggregator).Delivered, Ledger(aggregator).Dropped["rejected"]));
        var folder = Path.Combine(_folder.Path, "dead-letters", "scripted");
        await Eventually.TrueAsync(() => Directory.Exists(folder) && Directory.GetFiles(folder, "*.txt").Length == 1 && Directory.GetFiles(folder).Length == 2);
        await Eventually.TrueAsync(() => File.ReadAllText(Directory.GetFiles(folder, "*.txt").Single()).Contains("empty profile", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Splits_what_is_too_large_until_it_fits()
    {
        _destination.Answer = (profile, _) => ProfileSplitter.Decode(profile.Pprof).Sample.Count > 1
            ? new(WriteOutcome.Verdict.TooLarge, "too_large")
            : WriteOutcome.Delivered;
        await using var aggregator = await StartAsync();

        aggregator.System.Ingest.Tell(Samples.Submit(1, Samples.Web, Samples.Batch(("a", 1), ("b", 2), ("c", 3))), ActorRefs.NoSender);

        await Eventually.TrueAsync(() => Ledger(aggregator).Delivered == 6);
        var delivered = _destination.Attempts.Where(profile => ProfileSplitter.Decode(profile.Pprof).Sample.Count == 1).ToList();
        Assert.Equal(3, delivered.Select(profile => profile.TimeNanos / 1_000_000).Distinct().Count());
        Assert.Equal(60_000_000, delivered.Sum(profile => ProfileSplitter.Decode(profile.Pprof).Sample[0].Value[0]));
    }

    [Fact]
    public async Task Drops_and_counts_what_is_older_than_a_server_takes()
    {
        _destination.Answer = (_, _) => new(WriteOutcome.Verdict.SeriesRefused, "series_limit");
        await using (var aggregator = await StartAsync())
        {
            Send(aggregator, 5);
            await Eventually.TrueAsync(() => _destination.Attempts.Count == 1);
        }

        _clock.Advance(TimeSpan.FromHours(1));
        await using var later = await StartAsync();

        // Restored from disk, and given up at the first look at the clock.
        Assert.Equal(5, Ledger(later).Ticks);
        await Eventually.TrueAsync(() => Ledger(later).Dropped.GetValueOrDefault("expired") == 5);
        Assert.Equal(0, Ledger(later).InFlight);
    }

    private static Telemetry.LossLedger Ledger(RunningAggregator aggregator) => aggregator.System.Ledgers.Destinations["scripted"];

    private static void Send(RunningAggregator aggregator, params ulong[] ticks)
    {
        foreach (var (index, count) in ticks.Index())
        {
            aggregator.System.Ingest.Tell(
                Samples.Submit((ulong)index + 1, Samples.Web.With("n", $"{index}"), Samples.Batch(("work;main", count))), ActorRefs.NoSender);
        }
    }

    private Task<RunningAggregator> StartAsync() => RunningAggregator.StartAsync(new AggregatorOptions(_folder.Path)
    {
        Window = TimeSpan.FromMilliseconds(200),
        Destinations = [new DestinationSetup(_destination, new DestinationOptions { ProbeAfter = TimeSpan.FromMilliseconds(100), MaxBackoffRetries = 1 })],
        DrainTimeout = TimeSpan.FromMilliseconds(300),
        SweepEvery = TimeSpan.FromMilliseconds(200),
        Clock = _clock,
    });

    private sealed class ScriptedDestination : IDestination
    {
        private readonly ConcurrentQueue<EncodedProfile> _attempts = new();

        public string Name => "scripted";

        public string Endpoint => "";

        public Func<EncodedProfile, int, WriteOutcome> Answer { get; set; } = (_, _) => WriteOutcome.Delivered;

        public IReadOnlyCollection<EncodedProfile> Attempts => _attempts;

        public Task<WriteOutcome> WriteAsync(EncodedProfile profile, CancellationToken cancellation)
        {
            _attempts.Enqueue(profile);
            return Task.FromResult(Answer(profile, _attempts.Count));
        }
    }
}
