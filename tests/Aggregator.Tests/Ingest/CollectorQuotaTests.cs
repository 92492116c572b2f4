using ActorProfiler.Aggregator.Ingest;
using ActorProfiler.Protocol;
using Google.Protobuf;
using Microsoft.Extensions.Time.Testing;

namespace ActorProfiler.Tests.Ingest;

public sealed class CollectorQuotaTests
{
    private static readonly QuotaOptions _none = new() { TicksPerSecond = 0, BytesPerSecond = 0, StacksPerSecond = 0, Series = 0 };

    private readonly FakeTimeProvider _clock = new();

    [Theory]
    [InlineData("quota_ticks")]
    [InlineData("quota_bytes")]
    [InlineData("quota_stacks")]
    public void Defers_what_is_beyond_a_minutes_worth_and_takes_it_again_when_time_has_passed(string reason)
    {
        var quota = new CollectorQuota(reason switch
        {
            "quota_ticks" => _none with { TicksPerSecond = 10 },
            "quota_bytes" => _none with { BytesPerSecond = 10 },
            _ => _none with { StacksPerSecond = 10 },
        }, _clock);

        // 600 are left at first; a batch takes 120 of each.
        for (var i = 0; i < 5; i++)
        {
            Assert.Null(quota.Take(Batch(120), series: 1));
        }

        Assert.Equal(reason, quota.Take(Batch(120), series: 1)?.Reason);
        _clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Null(quota.Take(Batch(120), series: 1));
        Assert.InRange(quota.Take(Batch(120), series: 1)!.Value.RetryAfter, TimeSpan.FromSeconds(9), TimeSpan.FromSeconds(11));
    }

    [Fact]
    public void Defers_new_series_beyond_the_bound_until_old_ones_are_silent()
    {
        var quota = new CollectorQuota(_none with { Series = 2 }, _clock);
        Assert.Null(quota.Take(Batch(1), 1));
        Assert.Null(quota.Take(Batch(1), 2));

        Assert.Equal("quota_series", quota.Take(Batch(1), 3)?.Reason);
        Assert.Null(quota.Take(Batch(1), 2));

        _clock.Advance(TimeSpan.FromMinutes(11));
        Assert.Null(quota.Take(Batch(1), 3));
    }

    private static Submit Batch(int amount) => new() { Ticks = (ulong)amount, Stacks = (ulong)amount, Payload = ByteString.CopyFrom(new byte[amount]) };
}
