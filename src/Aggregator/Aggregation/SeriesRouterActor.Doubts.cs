using ActorProfiler.Protocol;
using Akka.Actor;

namespace ActorProfiler.Aggregator.Aggregation;

/// <content>Batches that were sent before: the other aggregators are asked for them, each with one question at a time.</content>
internal sealed partial class SeriesRouterActor
{
    private static readonly TimeSpan _askPause = TimeSpan.FromSeconds(2);

    /// <summary>Batches named in one question.</summary>
    private const int QuestionLimit = 500;

    /// <summary>Aggregators that have been asked and have not answered since the last <see cref="AskAgain"/>.</summary>
    private readonly HashSet<Address> _asked = [];

    private void AskOthers(BatchId id, Submit submit, IEnumerable<Address> holders)
    {
        if (_batches.OpenBytes + _doubts.Bytes > _options.OpenBytesLimit)
        {
            _metrics.Deferred.WithLabels("bytes_limit").Inc();
            return;
        }

        _doubts.Add(id, submit, Sender, holders, _options.Clock.GetUtcNow());
        AskWhoIsFree();
        if (!Timers.IsTimerActive(nameof(AskAgain)))
        {
            Timers.StartPeriodicTimer(nameof(AskAgain), AskAgain.Instance, _askPause);
        }
    }

    private void AskAgainOrGiveUp()
    {
        // Its collector gives it up at the same age.
        foreach (var _ in _doubts.Expire(_options.Clock.GetUtcNow() - _options.DoubtFor))
        {
            _metrics.Doubts.WithLabels("given_up").Inc();
        }

        _asked.Clear();
        AskWhoIsFree();
        if (_doubts.Count == 0)
        {
            Timers.Cancel(nameof(AskAgain));
        }
    }

    private void AskWhoIsFree()
    {
        foreach (var other in _doubts.Unanswering())
        {
            if (_asked.Add(other))
            {
                var question = new WhoHolds();
                question.Batches.AddRange(_doubts.Questions(other, QuestionLimit).Select(id => id.ToName()));
                RouterAt(other).Tell(question, Self);
            }
        }
    }

    private void Answer(WhoHolds question)
    {
        var answer = new Holds();
        foreach (var name in question.Batches)
        {
            var id = BatchId.Of(name);

            // Two nodes in doubt about the same batch: one of them goes first, and holds it when it is asked again.
            if (_doubts.Contains(id) && Address.Comparer.Compare(_options.Self, Sender.Path.Address) < 0)
            {
                continue;
            }

            if (_batches.Holds(id))
            {
                answer.Held.Add(name);
            }
            else if (_batches.Cede(id, _options.Clock.GetUtcNow()))
            {
                answer.NotHeld.Add(name);
            }
        }

        Sender.Tell(answer);
    }

    private void Settle(Holds answer)
    {
        var from = Sender.Path.Address;
        foreach (var name in answer.Held)
        {
            if (_doubts.Answer(BatchId.Of(name), from, held: true) is { } doubt)
            {
                _metrics.Doubts.WithLabels("held").Inc();
                RouterAt(from).Tell(doubt.Submit, doubt.ReplyTo);
            }
        }

        foreach (var name in answer.NotHeld)
        {
            if (_doubts.Answer(BatchId.Of(name), from, held: false) is { } doubt)
            {
                TakeUnheld(doubt);
            }
        }

        // An answer to nothing leaves the rest to the next AskAgain: the other is in doubt itself.
        if (answer.Held.Count + answer.NotHeld.Count > 0)
        {
            _asked.Remove(from);
            AskWhoIsFree();
        }
    }

    private void TakeUnheld(DoubtfulBatches.Doubt doubt)
    {
        _metrics.Doubts.WithLabels("held_by_none").Inc();
        Take(doubt.Id, LabelsOf(doubt.Submit), doubt.Submit, doubt.ReplyTo);
    }

    private sealed record AskAgain
    {
        public static readonly AskAgain Instance = new();
    }
}
