using ActorProfiler.Aggregator.Destinations;
using Microsoft.Extensions.Time.Testing;
using Polly.CircuitBreaker;

namespace ActorProfiler.Tests.Destinations;

public class WritePipelineTests
{
    private static readonly WriteOutcome _unavailable = new(WriteOutcome.Verdict.Transient, "http_503");

    private readonly FakeTimeProvider _clock = new();
    private readonly List<WriteOutcome> _attempts = [];

    [Fact]
    public async Task Waits_as_long_as_the_server_asks_before_it_tries_again()
    {
        var asked = _unavailable with { RetryAfter = TimeSpan.FromSeconds(7) };
        var run = Run(() => _attempts.Count == 0 ? asked : WriteOutcome.Delivered);

        _clock.Advance(TimeSpan.FromSeconds(6.9));
        Assert.Single(_attempts);
        _clock.Advance(TimeSpan.FromSeconds(0.1));

        Assert.Equal(WriteOutcome.Delivered, await run);
    }

    [Fact]
    public async Task Waits_at_most_five_minutes_whatever_the_server_asks()
    {
        var asked = _unavailable with { RetryAfter = TimeSpan.FromDays(1000) };
        var run = Run(() => _attempts.Count == 0 ? asked : WriteOutcome.Delivered);

        _clock.Advance(TimeSpan.FromMinutes(5));

        Assert.Equal(WriteOutcome.Delivered, await run);
    }

    [Fact]
    public async Task Waits_no_longer_than_ten_seconds_of_its_own_accord()
    {
        var run = Run(() =>
        {
            _clock.Advance(TimeSpan.FromSeconds(10)); // slow enough to keep the breaker closed
            return _unavailable;
        });

        for (var i = 1; i < 10; i++)
        {
            _clock.Advance(TimeSpan.FromSeconds(10));
        }

        Assert.Equal(_unavailable, await run);
        Assert.Equal(10, _attempts.Count);
    }

    [Fact]
    public async Task Does_not_retry_what_will_not_pass() =>
        Assert.Equal(WriteOutcome.Verdict.Rejected, (await Run(() => new(WriteOutcome.Verdict.Rejected, "rejected"))).What);

    [Fact]
    public async Task Makes_an_outcome_of_a_refused_connection() =>
        Assert.Equal("network", (await Run(() => throw new HttpRequestException("connection refused"), attempts: 1)).Reason);

    [Fact]
    public async Task Opens_after_a_few_failures_at_a_low_rate()
    {
        var pipeline = WritePipeline.Create(new DestinationOptions { MaxBackoffRetries = 1 }, _clock, _attempts.Add);
        for (var i = 0; i < 4; i++)
        {
            await pipeline.ExecuteAsync(_ => ValueTask.FromResult(_unavailable));
        }

        await Assert.ThrowsAsync<BrokenCircuitException>(async () => await pipeline.ExecuteAsync(_ => ValueTask.FromResult(WriteOutcome.Delivered)));
        _clock.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(WriteOutcome.Delivered, await pipeline.ExecuteAsync(_ => ValueTask.FromResult(WriteOutcome.Delivered)));
    }

    private Task<WriteOutcome> Run(Func<WriteOutcome> write, int attempts = 10) =>
        WritePipeline.Create(new DestinationOptions { MaxBackoffRetries = attempts }, _clock, _attempts.Add)
            .ExecuteAsync(_ => ValueTask.FromResult(write())).AsTask();
}
