using ActorProfiler.Aggregator.Aggregation;
using Akka.Actor;

namespace ActorProfiler.Aggregator.Outbox;

/// <content>What destinations and the senders of windows are told.</content>
internal sealed partial class OutboxActor
{
    private void Tell(Committed done)
    {
        _metrics.CommitSeconds.Observe(done.Elapsed.TotalSeconds);
        _options.Health.Clear("outbox disk");

        // Counted first: a destination may be done with a profile before the next line runs.
        var appended = _committing.Where(change => change.What is OutboxChange.Append).Select(change => (Append: (OutboxChange.Append)change.What, change.From)).ToList();
        appended.ForEach(pair => Count(pair.Append));
        foreach (var (destination, entries) in done.Added)
        {
            if (_subscribers.TryGetValue(destination, out var subscriber))
            {
                subscriber.Tell(new ProfilesStored(entries, FromEarlierStart: false));
            }
        }

        appended.ForEach(pair => pair.From.Tell(new BatchesStored(pair.Append.Batches)));
    }

    private void Count(OutboxChange.Append append)
    {
        var ticks = append.Parts.Sum(part => part.Ticks);
        foreach (var ledger in _options.Ledgers.Values)
        {
            ledger.Enter(ticks);
        }
    }

    private void Add(Subscribe subscribe)
    {
        _subscribers[subscribe.Destination] = subscribe.Actor;
        subscribe.Actor.Tell(new ProfilesStored(_outbox.Pending(subscribe.Destination), FromEarlierStart: true));
    }

    private void RunSweep()
    {
        var now = _options.Clock.GetUtcNow();
        var oldest = (now - _options.MaxAge).ToUnixTimeMilliseconds() * 1_000_000;
        foreach (var group in _outbox.Overdue(oldest, _options.MaxBytes).GroupBy(overdue => (overdue.Destination, overdue.Reason)))
        {
            var (destination, reason) = group.Key;
            if (_subscribers.TryGetValue(destination, out var subscriber))
            {
                subscriber.Tell(new ProfilesOverdue([.. group.Select(overdue => overdue.Entry.Id)], reason));
            }
            else if (!_options.Ledgers.ContainsKey(destination))
            {
                _metrics.Dropped.WithLabels(destination, "destination_removed").Inc(group.Count());
                _waiting.AddRange(group.Select(overdue => new Change(new OutboxChange.Settle(destination, overdue.Entry.Id), Self)));
            }
        }

        _metrics.OutboxBytes.Set(_outbox.Bytes);
        _waiting.Add(new Change(new OutboxChange.Forget(now - _options.RememberFor), Self));
        Become(Committing);
        Commit();
    }
}
