using ActorProfiler.Labels;
using Akka.Actor;

namespace ActorProfiler.Aggregator.Aggregation;

/// <summary>The series of this node and which batches are in whose window. Pure state of <see cref="SeriesRouterActor"/>.</summary>
internal sealed class SeriesTable
{
    private readonly Dictionary<LabelSet, OwnedSeries> _byLabels = [];
    private readonly Dictionary<IActorRef, OwnedSeries> _byActor = [];
    private readonly Dictionary<BatchId, OwnedSeries> _byBatch = [];

    public int Count => _byLabels.Count;

    public IEnumerable<OwnedSeries> All => _byLabels.Values;

    public OwnedSeries? Find(LabelSet labels) => _byLabels.GetValueOrDefault(labels);

    public OwnedSeries? Find(BatchId batch) => _byBatch.GetValueOrDefault(batch);

    public OwnedSeries Add(LabelSet labels, IActorRef actor)
    {
        var series = new OwnedSeries(labels, actor);
        _byLabels.Add(labels, series);
        _byActor.Add(actor, series);
        return series;
    }

    public void Enter(BatchId batch, OwnedSeries series)
    {
        series.Open.Add(batch);
        _byBatch.Add(batch, series);
    }

    public void Leave(BatchId batch)
    {
        if (_byBatch.Remove(batch, out var series))
        {
            series.Open.Remove(batch);
        }
    }

    /// <summary>The labels are free for a new actor; this one may still run.</summary>
    public void Retire(OwnedSeries series) => _byLabels.Remove(series.Labels);

    /// <summary>The actor is gone. Returns its series when it had not been retired, with the batches that were in its window.</summary>
    public OwnedSeries? Remove(IActorRef actor)
    {
        if (!_byActor.Remove(actor, out var series) || _byLabels.GetValueOrDefault(series.Labels) != series)
        {
            return null;
        }

        _byLabels.Remove(series.Labels);
        foreach (var batch in series.Open)
        {
            _byBatch.Remove(batch);
        }

        return series;
    }
}

/// <summary>A series of this node.</summary>
internal sealed class OwnedSeries(LabelSet labels, IActorRef actor)
{
    public LabelSet Labels => labels;

    public IActorRef Actor => actor;

    /// <summary>Batches told to the actor that have not come back in a closed window.</summary>
    public HashSet<BatchId> Open { get; } = [];
}
