using Prometheus;

namespace ActorProfiler.Aggregator;

/// <summary>Every metric of the aggregator: name, help and labels.</summary>
/// <remarks>
/// Those that start with <c>pyroscope_</c> have the names, helps, labels and buckets of Grafana's components, so that dashboards fit.
/// There <c>endpoint</c> is the URL without user and query.
/// </remarks>
internal sealed class AggregatorMetrics(IMetricFactory metrics)
{
    private static readonly double[] _defaultBuckets = [.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10];

    public Histogram FanoutLatency { get; } = metrics.CreateHistogram(
        "pyroscope_fanout_latency", "Write latency for sending to pyroscope profiles", new HistogramConfiguration { Buckets = _defaultBuckets });

    public Counter SentBytes { get; } = metrics.CreateCounter(
        "pyroscope_write_sent_bytes_total", "Total number of compressed bytes sent to Pyroscope.", ["endpoint"]);

    public Counter DroppedBytes { get; } = metrics.CreateCounter(
        "pyroscope_write_dropped_bytes_total", "Total number of compressed bytes dropped by Pyroscope.", ["endpoint"]);

    public Counter SentProfiles { get; } = metrics.CreateCounter(
        "pyroscope_write_sent_profiles_total", "Total number of profiles sent to Pyroscope.", ["endpoint"]);

    public Counter DroppedProfiles { get; } = metrics.CreateCounter(
        "pyroscope_write_dropped_profiles_total", "Total number of profiles dropped by Pyroscope.", ["endpoint"]);

    public Counter Retries { get; } = metrics.CreateCounter(
        "pyroscope_write_retries_total", "Total number of retries to Pyroscope.", ["endpoint"]);

    public Histogram WriteLatency { get; } = metrics.CreateHistogram(
        "pyroscope_write_latency",
        "Write latency for sending profiles to Pyroscope.",
        ["endpoint", "type"],
        new HistogramConfiguration { Buckets = _defaultBuckets });

    public Gauge Streams { get; } = metrics.CreateGauge(
        "actorprofiler_ingest_streams", "Streams that collectors have open.");

    public Counter Clones { get; } = metrics.CreateCounter(
        "actorprofiler_ingest_cloned_collectors_total", "Streams refused because another process was connected under the same identity.");

    public Counter Impostors { get; } = metrics.CreateCounter(
        "actorprofiler_ingest_foreign_identities_total", "Streams refused because their collector id belongs to another certificate.");

    public Counter ReceivedBytes { get; } = metrics.CreateCounter(
        "actorprofiler_ingest_bytes_total", "Bytes of payload received from collectors, repeats included.");

    public Counter Refused { get; } = metrics.CreateCounter(
        "actorprofiler_ingest_refused_batches_total", "Batches that will never be accepted.", ["reason"]);

    public Counter Deferred { get; } = metrics.CreateCounter(
        "actorprofiler_ingest_deferred_batches_total", "Batches not taken now because a bound was reached; collectors send them again.", ["reason"]);

    public Counter Corrected { get; } = metrics.CreateCounter(
        "actorprofiler_ingest_corrected_batches_total", "Batches of collectors whose clock is wrong by more than 30 s; their times were corrected.");

    public Counter Repeats { get; } = metrics.CreateCounter(
        "actorprofiler_ingest_repeated_batches_total", "Batches that had arrived before.");

    public Counter Doubts { get; } = metrics.CreateCounter(
        "actorprofiler_ingest_doubtful_batches_total",
        "Batches sent before, of which the other aggregators were asked: held by one of them, held by none, or given up for their age without an answer of all.",
        ["outcome"]);

    public Gauge Series { get; } = metrics.CreateGauge(
        "actorprofiler_series", "Series this aggregator owns at the moment.");

    public Counter Profiles { get; } = metrics.CreateCounter(
        "actorprofiler_profiles_total", "Profiles encoded, parts of split ones counted each.");

    public Histogram CommitSeconds { get; } = metrics.CreateHistogram(
        "actorprofiler_outbox_commit_duration_seconds", "Time of one commit of the outbox.");

    public Counter CommitFailures { get; } = metrics.CreateCounter(
        "actorprofiler_outbox_commit_failures_total", "Commits that failed and are tried again; nothing in them was acknowledged.");

    public Gauge OutboxBytes { get; } = metrics.CreateGauge(
        "actorprofiler_outbox_bytes", "Bytes of the outbox's files.");

    public Counter OutboxDamaged { get; } = metrics.CreateCounter(
        "actorprofiler_outbox_damaged_total", "Damaged things found in the outbox: profiles that are lost, last records that were cut off.", ["what"]);

    public Gauge Waiting { get; } = metrics.CreateGauge(
        "actorprofiler_destination_waiting_profiles", "Profiles a destination has not settled yet.", ["destination"]);

    public Gauge WaitingBytes { get; } = metrics.CreateGauge(
        "actorprofiler_destination_waiting_bytes", "Compressed bytes of the profiles a destination has not settled yet.", ["destination"]);

    public Gauge Concurrency { get; } = metrics.CreateGauge(
        "actorprofiler_destination_concurrency", "How many writes a destination may have under way.", ["destination"]);

    public Gauge Healthy { get; } = metrics.CreateGauge(
        "actorprofiler_destination_healthy", "1 while writes to the destination succeed, 0 while it is paused.", ["destination"]);

    public Counter Delivered { get; } = metrics.CreateCounter(
        "actorprofiler_destination_delivered_profiles_total", "Profiles the destination has taken.", ["destination"]);

    public Counter Dropped { get; } = metrics.CreateCounter(
        "actorprofiler_destination_dropped_profiles_total", "Profiles the destination will never get.", ["destination", "reason"]);

    public Counter Outcomes { get; } = metrics.CreateCounter(
        "actorprofiler_destination_attempts_total", "Attempts to write, by outcome.", ["destination", "outcome"]);

    public Histogram WriteSeconds { get; } = metrics.CreateHistogram(
        "actorprofiler_destination_write_duration_seconds", "Time of one write with its retries.", ["destination"]);
}
