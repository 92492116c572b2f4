using System.Collections.Concurrent;
using System.IO.Hashing;
using System.Text;
using ActorProfiler.Labels;
using ActorProfiler.Protocol;
using ActorProfiler.Tests.Run;
using Google.Protobuf;
using PprofProfile = ActorProfiler.Pprof.Profile;

namespace ActorProfiler.Tests.Faults;

/// <summary>
/// Mints batches that can be told apart wherever they end up, keeps what became of each, and judges what a destination holds in the end.
/// Thread-safe.
/// </summary>
/// <remarks>A batch has one stack; its innermost frame is the batch's name, and its ticks follow from that name.</remarks>
internal sealed class Oracle
{
    private const long PeriodNanos = 10_000_000;
    private const string Prefix = "minted.";

    private readonly ConcurrentDictionary<string, Fate> _minted = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> _acknowledgedAt = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> _mintedAt = new(StringComparer.Ordinal);
    private long _resent;

    /// <summary>What became of a batch, as its collector knows it.</summary>
    private enum Fate
    {
        Waiting,
        Acknowledged,
        Refused,
    }

    public int Minted => _minted.Count;

    public int Acknowledged => _minted.Count(pair => pair.Value == Fate.Acknowledged);

    /// <summary>Sendings of batches that had been sent before.</summary>
    public long Resent => Interlocked.Read(ref _resent);

    /// <param name="at">When its samples were taken.</param>
    public (string Name, Submit Submit) Mint(ByteString collector, ulong epoch, ulong sequence, LabelSet series, DateTimeOffset at)
    {
        var name = $"{Prefix}{Convert.ToHexStringLower(collector.Span[..4])}.{epoch}.{sequence}";
        var ticks = TicksOf(name);
        var batch = new SampleBatch
        {
            StartUnixNanos = at.ToUnixTimeMilliseconds() * 1_000_000,
            DurationNanos = 1_000_000_000,
            PeriodNanos = PeriodNanos,
            Weight = 1,
            Strings = { "", name, "work", "main" },
            Ticks = { ticks },
            StackEnds = { 3 },
            Stacks = { 0, 1, 2 },
        };
        for (var i = 0u; i < 3; i++)
        {
            batch.Functions.Add(new Function { Name = i + 1, SystemName = i + 1 });
            batch.Locations.Add(new Location { Address = i == 0 ? XxHash64.HashToUInt64(Encoding.UTF8.GetBytes(name)) >> 16 : i, Lines = { new Line { Function = i } } });
        }

        var payload = batch.ToByteArray();
        var submit = new Submit
        {
            CollectorId = collector,
            Epoch = epoch,
            Sequence = sequence,
            Ticks = ticks,
            Stacks = 1,
            Payload = ByteString.CopyFrom(payload),
            PayloadCrc32 = Crc32.HashToUInt32(payload),
        };
        submit.Labels.AddRange(series.Select(pair => new Label { Name = pair.Name, Value = pair.Value }));
        _mintedAt[name] = TimeProvider.System.GetTimestamp();
        Assert.True(_minted.TryAdd(name, Fate.Waiting), $"{name} was minted before");
        return (name, submit);
    }

    public void OnAcknowledged(string name)
    {
        _minted[name] = Fate.Acknowledged;
        _acknowledgedAt[name] = TimeProvider.System.GetTimestamp();
    }

    /// <summary>When the batches in a profile were acknowledged, a timestamp of the system's clock; null: they were not.</summary>
    public long? AcknowledgedAt(PushedProfile push)
    {
        var profile = push.Profile;
        var location = profile.Location.First(location => location.Id == profile.Sample[0].LocationId[0]);
        var function = profile.Function.First(function => function.Id == location.Line[0].FunctionId);
        return _acknowledgedAt.TryGetValue(profile.StringTable[(int)function.Name], out var at) ? at : null;
    }

    /// <summary>Seconds from minting to acknowledgement, of the batches minted between two timestamps of the system's clock.</summary>
    public List<double> AcknowledgementSeconds(long from, long until) =>
        [.. _mintedAt.Where(pair => pair.Value >= from && pair.Value < until && _acknowledgedAt.ContainsKey(pair.Key))
            .Select(pair => TimeProvider.System.GetElapsedTime(pair.Value, _acknowledgedAt[pair.Key]).TotalSeconds)];

    public void OnRefused(string name) => _minted[name] = Fate.Refused;

    public void OnResent() => Interlocked.Increment(ref _resent);

    /// <summary>Compares what was minted with what a query at the destination would find.</summary>
    /// <param name="dropped">Ticks that the product says it dropped on the way to this destination.</param>
    public Verdict Judge(FakePyroscope destination, long dropped = 0)
    {
        var arrived = Arrived(destination.Stored.Select(push => push.Profile));
        var spurious = arrived.Keys.Count(name => !_minted.ContainsKey(name));
        var (missing, missingTicks, doubled, unaccounted) = (0, 0L, 0, 0);
        foreach (var (name, fate) in _minted)
        {
            var (expected, actual) = ((long)TicksOf(name) * PeriodNanos, arrived.GetValueOrDefault(name));
            doubled += actual > expected ? 1 : 0;
            spurious += actual % expected != 0 ? 1 : 0;
            missing += actual == 0 && fate == Fate.Acknowledged ? 1 : 0;
            missingTicks += actual == 0 && fate == Fate.Acknowledged ? (long)TicksOf(name) : 0;
            unaccounted += actual == 0 && fate == Fate.Waiting ? 1 : 0;
        }

        // What the product has counted as dropped is not missing; the counts have to agree to the tick.
        return new Verdict(
            Minted, Acknowledged, missingTicks == dropped ? 0 : missing, doubled, spurious, unaccounted, Resent, destination.Pushes.Count - destination.Stored.Count, dropped);
    }

    /// <summary>Ticks of what was acknowledged.</summary>
    public long AcknowledgedTicks => _minted.Where(pair => pair.Value == Fate.Acknowledged).Sum(pair => (long)TicksOf(pair.Key));

    private static ulong TicksOf(string name) => 1 + (XxHash64.HashToUInt64(Encoding.UTF8.GetBytes(name)) % 97);

    private static Dictionary<string, long> Arrived(IEnumerable<PprofProfile> profiles)
    {
        var arrived = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var profile in profiles)
        {
            var locations = profile.Location.ToDictionary(location => location.Id, location => location.Line[0].FunctionId);
            var functions = profile.Function.ToDictionary(function => function.Id, function => profile.StringTable[(int)function.Name]);
            foreach (var sample in profile.Sample)
            {
                var name = functions[locations[sample.LocationId[0]]];
                arrived[name] = arrived.GetValueOrDefault(name) + sample.Value[0];
            }
        }

        return arrived;
    }
}

/// <param name="Missing">Acknowledged, and not at the destination nor counted as dropped.</param>
/// <param name="Doubled">At the destination with more than its value.</param>
/// <param name="Spurious">At the destination and never minted, or with a value that is none.</param>
/// <param name="Unaccounted">Neither acknowledged, nor refused, nor at the destination.</param>
/// <param name="Resent">Batches sent again by their collectors.</param>
/// <param name="Repeated">Pushes that the destination had taken before.</param>
/// <param name="DroppedTicks">Ticks that the product counted as dropped.</param>
internal sealed record Verdict(int Minted, int Acknowledged, int Missing, int Doubled, int Spurious, int Unaccounted, long Resent, int Repeated, long DroppedTicks)
{
    /// <summary>Nothing acknowledged is missing, nothing is doubled, spurious or unaccounted for.</summary>
    public void AssertClean(Func<string> context) =>
        Assert.True((Missing, Doubled, Spurious, Unaccounted) == (0, 0, 0, 0) && Acknowledged > 0, $"{this}\n{context()}");
}
