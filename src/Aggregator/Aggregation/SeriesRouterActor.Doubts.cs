using ActorProfiler.Protocol;
using Akka.Actor;
using Google.Protobuf;

namespace ActorProfiler.Aggregator.Aggregation;

/// <content>Batches that were sent before: the other aggregators are asked for them.</content>
internal sealed partial class SeriesRouterActor
{
    private static readonly TimeSpan _askPause = TimeSpan.FromSeconds(2);

    private void AskOthers(BatchId id, Submit submit)
    {
        if (_batches.OpenBytes + _doubts.Bytes > _options.OpenBytesLimit)
        {
            _metrics.Deferred.WithLabels("bytes_limit").Inc();
            return;
        }

        if (!_doubts.Add(id, submit, Sender, _aggregators.Others, _options.Clock.GetUtcNow()))
        {
            return;
        }

        foreach (var other in _aggregators.Others)
        {
            Ask(other, id);
        }

        if (_doubts.Count == 1)
        {
            Timers.StartPeriodicTimer(nameof(AskAgain), AskAgain.Instance, _askPause);
        }
    }

    private void AskAgainOrGiveUp()
    {
        foreach (var doubt in _doubts.Expire(_options.Clock.GetUtcNow() - _options.DoubtFor))
        {
            _metrics.Doubts.WithLabels("unanswered").Inc();
            Take(doubt.Id, LabelsOf(doubt.Submit), doubt.Submit, doubt.ReplyTo);
        }

        foreach (var (other, id) in _doubts.Unanswered())
        {
            Ask(other, id);
        }

        if (_doubts.Count == 0)
        {
            Timers.Cancel(nameof(AskAgain));
        }
    }

    private void Ask(Address other, BatchId id) => RouterAt(other).Tell(
        new WhoHolds { CollectorId = ByteString.CopyFrom(id.Collector.ToByteArray()), Epoch = id.Epoch, Sequence = id.Sequence }, Self);

    private void Answer(WhoHolds question)
    {
        var id = BatchId.Of(question);
        // Two nodes in doubt about the same batch: one of them goes first, and holds it when it is asked again.
        if (_doubts.Contains(id) && Address.Comparer.Compare(_options.Self, Sender.Path.Address) < 0)
        {
            return;
        }

        var held = _batches.Holds(id);
        if (held || _batches.Cede(id, _options.Clock.GetUtcNow()))
        {
            Sender.Tell(new Holds { CollectorId = question.CollectorId, Epoch = id.Epoch, Sequence = id.Sequence, Held = held });
        }
    }

    /// <param name="holder">Who has it; null: nobody.</param>
    private void Settle(DoubtfulBatches.Doubt? doubt, Address? holder)
    {
        if (doubt is null)
        {
            return;
        }

        _metrics.Doubts.WithLabels(holder is null ? "held_by_none" : "held").Inc();
        if (holder is null)
        {
            Take(doubt.Id, LabelsOf(doubt.Submit), doubt.Submit, doubt.ReplyTo);
        }
        else
        {
            RouterAt(holder).Tell(doubt.Submit, doubt.ReplyTo);
        }
    }

    private sealed record AskAgain
    {
        public static readonly AskAgain Instance = new();
    }
}
