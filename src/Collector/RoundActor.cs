using ActorProfiler.Collector.Batching;
using ActorProfiler.Collector.Interpreters.Jit;
using ActorProfiler.Collector.Sampling;
using ActorProfiler.Collector.Stacks;
using ActorProfiler.Collector.Symbols;
using ActorProfiler.Telemetry;
using Akka.Actor;

namespace ActorProfiler.Collector;

/// <summary>Runs a <see cref="CollectionRound"/> for each interval and passes its batches on. One state.</summary>
internal sealed class RoundActor : ReceiveActor
{
    public RoundActor(
        CollectionRound round, StackResolver stacks, JitNames jit, LossLedger ledger, CollectorMetrics metrics, Health health, IActorRef sender)
    {
        Receive<SampleInterval>(interval =>
        {
            health.Clear("sampling");
            var outcome = round.Run(interval);
            Account(interval, outcome, ledger);
            foreach (var batch in outcome.Batches)
            {
                metrics.OnBatch(batch.Target.ServiceName);
            }

            metrics.OnInterval(interval);
            metrics.OnWalks(outcome.Walks);
            metrics.OnState(interval.State);
            metrics.OnJit(jit.Outcomes);
            metrics.OnFrames(stacks.Frames.Known, stacks.Frames.Unknown);
            metrics.OnLedger(ledger);
            sender.Tell(new BatchSenderActor.Send(outcome.Batches));
        });
        Receive<SamplingActor.Failed>(failed =>
        {
            metrics.OnFailure();
            health.Report("sampling", failed.Cause.Message);
        });
        Receive<SymbolOptions>(stacks.Configure);
        Receive<ForgetNames>(_ => stacks.Forget());
        Receive<Flush>(_ => Sender.Tell(new Flushed()));
    }

    /// <summary>Names are looked up anew.</summary>
    public sealed record ForgetNames;

    /// <summary>Asks for a <see cref="Flushed"/> when all intervals told before are passed on.</summary>
    public sealed record Flush;

    public sealed record Flushed;

    public static Props Props(
        CollectionRound round, StackResolver stacks, JitNames jit, LossLedger ledger, CollectorMetrics metrics, Health health, IActorRef sender) =>
        Akka.Actor.Props.Create(() => new RoundActor(round, stacks, jit, ledger, metrics, health, sender));

    private static void Account(SampleInterval interval, CollectionRound.Outcome outcome, LossLedger ledger)
    {
        ledger.Enter(interval.Counts.Ticks + outcome.TicksCopied);
        foreach (var (reason, ticks) in interval.Counts.Dropped)
        {
            ledger.Drop(reason, ticks);
        }

        ledger.Drop(DropReasons.NotTarget, outcome.TicksWithoutTarget);
        ledger.RunAhead(interval.Counts.Ticks - interval.Counts.Dropped.Sum(drop => drop.Value) - outcome.TicksWithoutTarget + outcome.TicksCopied - outcome.Batches.Sum(batch => batch.Ticks));
    }
}
