using ActorProfiler.Collector.Sampling;
using ActorProfiler.Telemetry;
using Prometheus;

namespace ActorProfiler.Collector;

/// <summary>Every metric of the collector. The <c>pyroscope_ebpf_*</c> names are those of the component that users know.</summary>
public sealed class CollectorMetrics
{
    private readonly Gauge _activeTargets;
    private readonly Counter _sessions;
    private readonly Counter _sessionsFailing;
    private readonly Counter _pprofs;
    private readonly Counter _ticks;
    private readonly Counter _dropped;
    private readonly Counter _stored;
    private readonly Gauge _inFlight;
    private readonly Counter _lost;
    private readonly Gauge _spoolBytes;
    private readonly Counter _walks;
    private readonly Gauge _clocks;
    private readonly Gauge _processes;
    private readonly Gauge _tables;
    private readonly Gauge _tableBytes;
    private readonly Counter _refusedTables;
    private readonly Counter _missed;
    private readonly Counter _eventsLost;
    private readonly Counter _unread;
    private readonly Counter _jit;
    private readonly Counter _frames;

    public CollectorMetrics(IMetricFactory metrics)
    {
        _activeTargets = metrics.CreateGauge("pyroscope_ebpf_active_targets", "Current number of active tracked targets");
        _sessions = metrics.CreateCounter("pyroscope_ebpf_profiling_sessions_total", "Total number of profiling sessions completed");
        _sessionsFailing = metrics.CreateCounter("pyroscope_ebpf_profiling_sessions_failing_total", "Total number of profiling sessions failed");
        _pprofs = metrics.CreateCounter("pyroscope_ebpf_pprofs_total", "Total number of profiles collected, by service", ["service_name"]);
        _ticks = metrics.CreateCounter("actorprofiler_collector_ticks_total", "Expiries of the sampling clocks in running tasks; one that counts in the series of several pyroscope.ebpf blocks enters once for each");
        _dropped = metrics.CreateCounter("actorprofiler_collector_dropped_ticks_total", "Ticks that the collector dropped, by reason", ["reason"]);
        _stored = metrics.CreateCounter("actorprofiler_collector_stored_ticks_total", "Ticks that an aggregator has on disk");
        _inFlight = metrics.CreateGauge("actorprofiler_collector_in_flight_ticks", "Ticks neither stored nor dropped yet");
        _lost = metrics.CreateCounter(
            "actorprofiler_collector_lost_ticks_total", "Ticks of batches that were dropped after sampling, by target and reason", ["service_name", "reason"]);
        _spoolBytes = metrics.CreateGauge("actorprofiler_collector_spool_bytes", "Bytes of unsettled batches on disk");
        _walks = metrics.CreateCounter("actorprofiler_collector_stack_walks_total", "Walks of user stacks, by service and how they ended", ["service_name", "ending"]);
        _clocks = metrics.CreateGauge("actorprofiler_collector_clocks", "Sampling clocks that run: one per online CPU");
        _processes = metrics.CreateGauge("actorprofiler_collector_processes", "Running processes that have been sampled");
        _tables = metrics.CreateGauge("actorprofiler_collector_unwind_tables", "Executables with a compiled unwind table");
        _tableBytes = metrics.CreateGauge("actorprofiler_collector_unwind_table_bytes", "Memory of the unwind tables");
        _refusedTables = metrics.CreateCounter(
            "actorprofiler_collector_refused_unwind_tables_total", "Executables that got no unwind table and are walked by frame pointers, by reason", ["reason"]);
        _missed = metrics.CreateCounter("actorprofiler_collector_missed_processes_total", "Processes that ended before they could be read");
        _eventsLost = metrics.CreateCounter("actorprofiler_collector_events_lost_total", "Announcements of processes that found their buffer full");
        _unread = metrics.CreateCounter("actorprofiler_collector_unread_total", "Interpreters and mapped files that could not be read, by reason", ["what", "reason"]);
        _jit = metrics.CreateCounter("actorprofiler_collector_jit_requests_total", "Requests to JIT runtimes for the names of their code, by outcome", ["outcome"]);
        _frames = metrics.CreateCounter("actorprofiler_collector_frames_total", "Distinct frames looked up, by whether a name was found", ["symbolized"]);
    }

    internal void OnInterval(SampleInterval interval)
    {
        _sessions.Inc();
    }

    internal void OnWalks(IReadOnlyDictionary<(string Service, WalkEnding Ending), long> walks)
    {
        foreach (var ((service, ending), ticks) in walks)
        {
            _walks.WithLabels(service, NameOf(ending)).Inc(ticks);
        }
    }

    internal void OnState(SessionState state)
    {
        _clocks.Set(state.Clocks);
        _processes.Set(state.Processes);
        _tables.Set(state.UnwindTables);
        _tableBytes.Set(state.UnwindTableBytes);
        _missed.IncTo(state.MissedProcesses);
        _eventsLost.IncTo(state.EventsLost);
        foreach (var (reason, count) in state.UnreadInterpreters)
        {
            _unread.WithLabels("interpreter", reason).IncTo(count);
        }

        foreach (var (reason, count) in state.RefusedTables)
        {
            _refusedTables.WithLabels(reason).IncTo(count);
        }

        foreach (var (reason, count) in state.UnreadFiles)
        {
            _unread.WithLabels("file", reason).IncTo(count);
        }
    }

    internal void OnJit(IReadOnlyDictionary<string, long> outcomes)
    {
        foreach (var (outcome, count) in outcomes)
        {
            _jit.WithLabels(outcome).IncTo(count);
        }
    }

    internal void OnFailure() => _sessionsFailing.Inc();

    internal void OnBatch(string serviceName) => _pprofs.WithLabels(serviceName).Inc();

    internal void OnFrames(long known, long unknown)
    {
        _frames.WithLabels("true").IncTo(known);
        _frames.WithLabels("false").IncTo(unknown);
    }

    internal void OnLost(string serviceName, string reason, long ticks) => _lost.WithLabels(serviceName, reason).Inc(ticks);

    internal void OnSpool(long bytes) => _spoolBytes.Set(bytes);

    internal void OnTargets(int count) => _activeTargets.Set(count);

    /// <summary>Takes the figures over. Called before each scrape too, for batches are answered between intervals.</summary>
    public void OnLedger(LossLedger ledger)
    {
        _ticks.IncTo(ledger.Ticks);
        _stored.IncTo(ledger.Delivered);
        _inFlight.Set(ledger.InFlight);
        foreach (var (reason, ticks) in ledger.Dropped)
        {
            _dropped.WithLabels(reason).IncTo(ticks);
        }
    }

    private static string NameOf(WalkEnding ending) => ending switch
    {
        WalkEnding.None => "none",
        WalkEnding.Complete => "complete",
        WalkEnding.BrokenChain => "broken_chain",
        WalkEnding.Unsupported => "unsupported",
        WalkEnding.ReadFault => "read_fault",
        WalkEnding.Truncated => "truncated",
        _ => "no_registers",
    };
}
