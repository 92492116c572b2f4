using ActorProfiler.Aggregator.Outbox;

namespace ActorProfiler.Aggregator.Destinations;

/// <summary>The figures of one destination: metrics, ledger and status.</summary>
internal sealed class DestinationCounters(IDestination destination, DestinationContext context)
{
    private readonly AggregatorMetrics _metrics = context.Metrics;
    private readonly string _name = destination.Name;
    private readonly string _endpoint = destination.Endpoint;

    public void Attempted(WriteOutcome outcome)
    {
        _metrics.Outcomes.WithLabels(_name, outcome.Reason).Inc();
        if (outcome.What is WriteOutcome.Verdict.Transient or WriteOutcome.Verdict.ServerFault && _endpoint.Length > 0)
        {
            _metrics.Retries.WithLabels(_endpoint).Inc();
        }
    }

    public void Finished(WriteOutcome outcome, TimeSpan elapsed)
    {
        _metrics.WriteSeconds.WithLabels(_name).Observe(elapsed.TotalSeconds);
        if (_endpoint.Length > 0)
        {
            _metrics.FanoutLatency.Observe(elapsed.TotalSeconds);
            _metrics.WriteLatency.WithLabels(_endpoint, "push_endpoint").Observe(elapsed.TotalSeconds);
        }

        if (outcome.What != WriteOutcome.Verdict.Delivered)
        {
            context.Status.Update(status => status with { LastError = $"{outcome.Reason}: {outcome.Message}", LastErrorAt = context.Clock.GetUtcNow() });
        }
    }

    public void Delivered(OutboxEntry entry)
    {
        context.Ledger.Deliver(entry.Ticks);
        _metrics.Delivered.WithLabels(_name).Inc();
        if (_endpoint.Length > 0)
        {
            _metrics.SentProfiles.WithLabels(_endpoint).Inc();
            _metrics.SentBytes.WithLabels(_endpoint).Inc(entry.Bytes);
        }
    }

    public void Dropped(OutboxEntry entry, string reason)
    {
        context.Ledger.Drop(reason, entry.Ticks);
        _metrics.Dropped.WithLabels(_name, reason).Inc();
        if (_endpoint.Length > 0)
        {
            _metrics.DroppedProfiles.WithLabels(_endpoint).Inc();
            _metrics.DroppedBytes.WithLabels(_endpoint).Inc(entry.Bytes);
        }
    }

    /// <summary>True when it was healthy before.</summary>
    public bool Failing(WriteOutcome outcome)
    {
        var wasHealthy = context.Status.Current.Healthy;
        _metrics.Healthy.WithLabels(_name).Set(0);
        context.Health.Report($"destination {_name}", $"takes no profiles ({outcome.Reason}): {outcome.Message}");
        context.Status.Update(status => status with { Healthy = false, LastError = $"{outcome.Reason}: {outcome.Message}" });
        return wasHealthy;
    }

    /// <summary>True when it was failing before.</summary>
    public bool Recovered()
    {
        var wasHealthy = context.Status.Current.Healthy;
        _metrics.Healthy.WithLabels(_name).Set(1);
        context.Health.Clear($"destination {_name}");
        context.Status.Update(status => status with { Healthy = true });
        return !wasHealthy;
    }

    /// <param name="others">What is under way or put off, and so not in the queue.</param>
    public void Waiting(DestinationQueue queue, IReadOnlyCollection<OutboxEntry> others, int concurrency)
    {
        context.Ledger.Hold(queue.Ticks + others.Sum(entry => entry.Ticks));
        _metrics.Waiting.WithLabels(_name).Set(queue.Count + others.Count);
        _metrics.WaitingBytes.WithLabels(_name).Set(queue.Bytes);
        _metrics.Concurrency.WithLabels(_name).Set(concurrency);
        context.Status.Update(status => status with { Waiting = queue.Count + others.Count, WaitingBytes = queue.Bytes });
    }
}
