using System.Runtime.InteropServices;
using ActorProfiler.Collector.Batching;
using ActorProfiler.Collector.Sampling;
using ActorProfiler.Collector.Stacks;
using ActorProfiler.Collector.Targets;

namespace ActorProfiler.Collector;

/// <summary>The collector's half of the line as one function: samples of an interval → target → stack → batch.</summary>
internal sealed class CollectionRound(TargetTable targets, StackResolver stacks)
{
    /// <summary>Batches are cut at this size, so that compressed they are 16–64 KB.</summary>
    private const int LargestBatch = 256 * 1024;

    /// <summary>What became of an interval.</summary>
    /// <param name="TicksWithoutTarget">Ticks that found no target.</param>
    /// <param name="TicksCopied">Ticks that count in a second series, a third and so on.</param>
    /// <param name="Walks">Ticks by service and how the walk of their user stack ended.</param>
    internal sealed record Outcome(
        IReadOnlyList<TargetBatch> Batches, long TicksWithoutTarget, long TicksCopied, IReadOnlyDictionary<(string Service, WalkEnding Ending), long> Walks);

    public Outcome Run(SampleInterval interval)
    {
        var open = new Dictionary<(Target Target, uint Weight), BatchBuilder>();
        var finished = new List<TargetBatch>();
        var walks = new Dictionary<(string Service, WalkEnding Ending), long>();
        var found = new List<Target>();
        long unmatched = 0;
        long copied = 0;
        foreach (var (raw, ticks) in interval.Stacks)
        {
            // The targets first: a process without one costs a look-up, not names.
            found.Clear();
            targets.Match(raw.Process, found);
            unmatched += found.Count == 0 ? ticks : 0;
            copied += Math.Max(found.Count - 1, 0) * ticks;
            foreach (var target in found)
            {
                CollectionsMarshal.GetValueRefOrAddDefault(walks, (target.ServiceName, raw.Ending), out _) += ticks;
                var key = (target, raw.Weight);
                if (!open.TryGetValue(key, out var builder))
                {
                    open[key] = builder = new BatchBuilder(interval.Start, interval.Duration, interval.PeriodNanos, raw.Weight);
                }

                builder.Add(stacks.Resolve(raw, target.Options.Demangle, target.Options.GoTableFallback).Frames, ticks);
                if (builder.ApproximateSize >= LargestBatch)
                {
                    finished.Add(new TargetBatch(target, builder.Build(), builder.Ticks));
                    open.Remove(key);
                }
            }
        }

        finished.AddRange(open.Select(pair => new TargetBatch(pair.Key.Target, pair.Value.Build(), pair.Value.Ticks)));
        stacks.EndRound();
        targets.EndRound();
        return new Outcome(finished, unmatched, copied, walks);
    }
}
