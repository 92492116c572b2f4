using System.Diagnostics;
using ActorProfiler.Aggregator.Outbox;
using ActorProfiler.Aggregator.Pprof;
using Polly;
using Polly.CircuitBreaker;

namespace ActorProfiler.Aggregator.Destinations;

/// <summary>One write of a stored profile: read from the outbox, tried with the retries of <see cref="WritePipeline"/>.</summary>
internal sealed class ProfileWriter(IDestination destination, DestinationContext context, Action<WriteOutcome> attempted) : IDisposable
{
    private readonly ResiliencePipeline<WriteOutcome> _pipeline = WritePipeline.Create(context.Options, context.Clock, attempted);
    private readonly CancellationTokenSource _stopped = new();

    /// <summary>How a write ended.</summary>
    /// <param name="Profile">Null when it could not be read or the write was cut short.</param>
    public sealed record Result(OutboxEntry Entry, EncodedProfile? Profile, WriteOutcome Outcome, TimeSpan Elapsed);

    /// <summary>Never throws.</summary>
    public async Task<Result> WriteAsync(OutboxEntry entry)
    {
        var started = Stopwatch.GetTimestamp();
        EncodedProfile? profile = null;
        WriteOutcome outcome;
        try
        {
            profile = await Task.Run(() => context.Profiles.Read(entry.Id), _stopped.Token).ConfigureAwait(false);
            outcome = profile is null
                ? new WriteOutcome(WriteOutcome.Verdict.Rejected, "damaged", "its bytes in the outbox are damaged")
                : await PushAsync(profile).ConfigureAwait(false);
        }
        catch (BrokenCircuitException broken)
        {
            outcome = new WriteOutcome(WriteOutcome.Verdict.Transient, "breaker_open", broken.Message, broken.RetryAfter ?? TimeSpan.FromSeconds(2));
        }
        catch (Exception bug) // the edge of a task piped to an actor
        {
            outcome = new WriteOutcome(WriteOutcome.Verdict.ServerFault, "failed", bug.Message);
        }

        return new Result(entry, profile, outcome, Stopwatch.GetElapsedTime(started));
    }

    /// <summary>Cuts short what is under way.</summary>
    public void Dispose()
    {
        _stopped.Cancel();
        _stopped.Dispose();
    }

    private async Task<WriteOutcome> PushAsync(EncodedProfile profile) => await _pipeline.ExecuteAsync(
        static async (state, cancellation) => await state.destination.WriteAsync(state.profile, cancellation).ConfigureAwait(false),
        (destination, profile),
        _stopped.Token).ConfigureAwait(false);
}
