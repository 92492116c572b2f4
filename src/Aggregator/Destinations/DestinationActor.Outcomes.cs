using ActorProfiler.Aggregator.Outbox;
using ActorProfiler.Aggregator.Pprof;
using Akka.Actor;
using Akka.Event;

namespace ActorProfiler.Aggregator.Destinations;

/// <content>What becomes of a profile after a write.</content>
internal sealed partial class DestinationActor
{
    private void Finish(ProfileWriter.Result written)
    {
        var (entry, outcome) = (written.Entry, written.Outcome);
        _counters.Finished(outcome, written.Elapsed);
        switch (outcome.What)
        {
            case WriteOutcome.Verdict.Delivered:
                Delivered(entry);
                break;
            case WriteOutcome.Verdict.Rejected:
                Reject(written);
                break;
            case WriteOutcome.Verdict.LeftOut:
                Drop(entry, outcome.Reason);
                break;
            case WriteOutcome.Verdict.TooLarge:
                Split(written);
                break;
            case WriteOutcome.Verdict.SeriesRefused:
                PutBack(entry, _deferred.Add);
                break;
            case WriteOutcome.Verdict.Misconfigured:
                PutBack(entry, _queue.AddBacklog);
                Pause(_context.Options.ProbeAfter, outcome);
                break;
            case WriteOutcome.Verdict.ServerFault when _poison.Faulted(entry.Id):
                Reject(written);
                break;
            case WriteOutcome.Verdict.ServerFault:
                _concurrency = _concurrency.Failed();
                PutBack(entry, _deferred.Add);
                break;
            default:
                _concurrency = _concurrency.Failed();
                PutBack(entry, _queue.AddBacklog);
                Pause(outcome.RetryAfter ?? _context.Options.MinBackoffPeriod, outcome);
                break;
        }
    }

    private void Delivered(OutboxEntry entry)
    {
        _poison.Delivered(entry.Id);
        _concurrency = _concurrency.Succeeded();
        _probing = false;
        if (_counters.Recovered())
        {
            Context.GetLogger().Info("{Destination} takes profiles again", _destination.Name);
        }

        _overdue.Remove(entry.Id);
        _counters.Delivered(entry);
        _context.Outbox.Tell(new OutboxChange.Settle(_destination.Name, entry.Id));
    }

    private void Reject(ProfileWriter.Result written)
    {
        if (written.Profile is null)
        {
            _context.Metrics.OutboxDamaged.WithLabels("profile").Inc();
        }

        var reason = written.Outcome.What == WriteOutcome.Verdict.ServerFault ? "poison" : written.Outcome.Reason;
        Context.GetLogger().Warning("{Destination} will never take a profile ({Reason}): {Message}", _destination.Name, reason, written.Outcome.Message);
        if (written.Profile is { } profile)
        {
            Task.Run(() => _context.DeadLetters.Keep(profile, written.Outcome.Message)).PipeTo(
                Self, success: () => DeadLetterKept.Instance, failure: cause => new DeadLetterLost(cause.Message));
        }

        Drop(written.Entry, reason);
    }

    private void Split(ProfileWriter.Result written)
    {
        var parts = written.Profile is { } profile ? ProfileSplitter.Split(profile, _context.Times) : [];
        if (parts.Count == 0)
        {
            Reject(written);
            return;
        }

        _context.Outbox.Tell(new OutboxChange.Replace(_destination.Name, written.Entry.Id, [.. parts]));
    }

    private void PutBack(OutboxEntry entry, Action<OutboxEntry> queue)
    {
        if (_overdue.Remove(entry.Id, out var reason))
        {
            Drop(entry, reason);
            return;
        }

        queue(entry);
    }

    private void Drop(OutboxEntry entry, string reason)
    {
        _poison.Forget(entry.Id);
        _overdue.Remove(entry.Id);
        _counters.Dropped(entry, reason);
        _context.Outbox.Tell(new OutboxChange.Settle(_destination.Name, entry.Id));
    }
}
