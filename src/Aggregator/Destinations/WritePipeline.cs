using System.Net.Sockets;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using Polly.Timeout;

namespace ActorProfiler.Aggregator.Destinations;

/// <summary>The retries of one destination: retry with jitter around a breaker around a timeout of each attempt.</summary>
/// <remarks>
/// Only what may pass by itself soon is retried here. An open breaker ends the write at once with
/// <see cref="BrokenCircuitException"/>, so that the profile goes back and fresh ones come first when the destination is back.
/// </remarks>
internal static class WritePipeline
{
    // A write that waits between its attempts has a place that no other profile gets: when the destination is back, none may sleep on for minutes.
    // Longer pauses are the actor's, in which nothing is held.
    private static readonly TimeSpan _longestDelay = TimeSpan.FromSeconds(10);

    /// <param name="attempt">Called after each attempt with its outcome.</param>
    public static ResiliencePipeline<WriteOutcome> Create(DestinationOptions options, TimeProvider clock, Action<WriteOutcome> attempt)
    {
        var builder = new ResiliencePipelineBuilder<WriteOutcome> { TimeProvider = clock };
        if (options.MaxBackoffRetries != 1)
        {
            builder.AddRetry(Retry(options));
        }

        return builder.AddCircuitBreaker(Breaker()).AddPipeline(Attempt(options, clock, attempt)).Build();
    }

    private static RetryStrategyOptions<WriteOutcome> Retry(DestinationOptions options) => new()
    {
        MaxRetryAttempts = options.MaxBackoffRetries == 0 ? int.MaxValue : options.MaxBackoffRetries - 1,
        BackoffType = DelayBackoffType.Exponential,
        UseJitter = true,
        Delay = options.MinBackoffPeriod,
        MaxDelay = LongestDelay(options),
        ShouldHandle = args => ValueTask.FromResult(args.Outcome.Result?.What is WriteOutcome.Verdict.Transient),
        DelayGenerator = args => ValueTask.FromResult(
            args.Outcome.Result?.RetryAfter is { } asked ? (asked < options.LongestPause ? asked : options.LongestPause) : (TimeSpan?)null),
    };

    private static TimeSpan LongestDelay(DestinationOptions options) =>
        options.MinBackoffPeriod > _longestDelay ? options.MinBackoffPeriod : options.MaxBackoffPeriod < _longestDelay ? options.MaxBackoffPeriod : _longestDelay;

    // A fleet's destination gets a few writes a second at most: Polly's default of 100 in the window would never trip.
    private static CircuitBreakerStrategyOptions<WriteOutcome> Breaker() => new()
    {
        FailureRatio = 0.5,
        MinimumThroughput = 4,
        SamplingDuration = TimeSpan.FromSeconds(30),
        BreakDurationGenerator = args => ValueTask.FromResult(TimeSpan.FromSeconds(Math.Min(30, 2 << Math.Min(args.HalfOpenAttempts, 4)))),
        ShouldHandle = args => ValueTask.FromResult(args.Outcome.Result?.What is WriteOutcome.Verdict.Transient or WriteOutcome.Verdict.ServerFault),
    };

    private static ResiliencePipeline<WriteOutcome> Attempt(DestinationOptions options, TimeProvider clock, Action<WriteOutcome> attempt) =>
        new ResiliencePipelineBuilder<WriteOutcome> { TimeProvider = clock }
            .AddStrategy(_ => new OutcomeStrategy(attempt), new OutcomeStrategyOptions())
            .AddTimeout(new TimeoutStrategyOptions { Timeout = options.RemoteTimeout })
            .Build();

    private sealed class OutcomeStrategyOptions : ResilienceStrategyOptions;

    /// <summary>Makes outcomes of the exceptions that an attempt may end with, and reports every outcome.</summary>
    private sealed class OutcomeStrategy(Action<WriteOutcome> attempt) : ResilienceStrategy<WriteOutcome>
    {
        protected override async ValueTask<Outcome<WriteOutcome>> ExecuteCore<TState>(
            Func<ResilienceContext, TState, ValueTask<Outcome<WriteOutcome>>> callback, ResilienceContext context, TState state)
        {
            var outcome = await callback(context, state).ConfigureAwait(context.ContinueOnCapturedContext);
            var result = outcome.Exception switch
            {
                null => outcome.Result!,
                TimeoutRejectedException timeout => new WriteOutcome(WriteOutcome.Verdict.Transient, "timeout", timeout.Message),
                HttpRequestException or IOException or SocketException =>
                    new WriteOutcome(WriteOutcome.Verdict.Transient, "network", outcome.Exception.Message),
                _ => null,
            };
            if (result is null)
            {
                return outcome;
            }

            attempt(result);
            return Outcome.FromResult(result);
        }
    }
}
