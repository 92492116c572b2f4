using ActorProfiler.Aggregator.Aggregation;

namespace ActorProfiler.Tests.Aggregation;

public class ProfileWindowTests
{
    [Fact]
    public void Adds_up_cpu_time_of_different_rates_and_weights()
    {
        var merged = Merge(
            Samples.Batch(Samples.Start, period: 10_000_000, weight: 1, ("work;main", 3)),
            Samples.Batch(Samples.Start, period: 50_000_000, weight: 2, ("work;main", 5)));

        var sample = Assert.Single(merged.Samples);
        Assert.Equal((3 * 10_000_000) + (5 * 2 * 50_000_000), sample.Nanos);
        Assert.Equal(8, merged.Ticks);
        Assert.Equal(10_000_000, merged.PeriodNanos);
    }

    [Fact]
    public void Merges_the_same_file_and_function_of_different_hosts_whose_tables_differ()
    {
        var merged = Merge(
            Samples.Batch(("work;main", 1), ("idle;main", 1)),
            Samples.Batch(("idle;main", 1), ("work;main", 1)));

        Assert.Single(merged.Modules);
        Assert.Equal(3, merged.Functions.Count);
        Assert.Equal(["idle", "main", "work"], merged.Functions.Select(function => merged.Strings[function.Name]).Order());
    }

    [Fact]
    public void Covers_all_batches_whatever_their_order()
    {
        var merged = Merge(
            Samples.Batch(Samples.Start + (5 * Samples.Second), 1, 1, ("a", 1)),
            Samples.Batch(Samples.Start, 1, 1, ("a", 1)));

        Assert.Equal(Samples.Start, merged.StartUnixNanos);
        Assert.Equal(6 * Samples.Second, merged.DurationNanos);
    }

    [Fact]
    public void Stops_at_the_largest_value_instead_of_wrapping()
    {
        var batch = Samples.Batch(Samples.Start, 60_000_000_000, 100, ("a", 1_000_000));

        var merged = Merge(batch, batch);

        Assert.Equal(long.MaxValue, merged.Samples[0].Nanos);
    }

    [Fact]
    public void Keeps_a_stack_without_frames() => Assert.Equal([], Merge(Samples.Batch(("", 1))).Samples[0].Stack);

    private static MergedProfile Merge(params Protocol.SampleBatch[] batches)
    {
        var window = new ProfileWindow();
        var sequence = 0ul;
        foreach (var batch in batches)
        {
            window.Add(new BatchId(Guid.Empty, 1, ++sequence), batch);
        }

        Assert.Equal(batches.Length, window.Batches.Count);
        return window.Flush();
    }
}
