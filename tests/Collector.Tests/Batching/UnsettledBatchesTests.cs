using ActorProfiler.Collector.Batching;
using ActorProfiler.Protocol;
using Google.Protobuf;

namespace ActorProfiler.Tests.Batching;

public class UnsettledBatchesTests
{
    private const long Unlimited = long.MaxValue;
    private const ulong Epoch = 5;

    [Fact]
    public void Sends_the_oldest_first_and_only_so_much_as_there_is_credit()
    {
        var batches = With(3, bytes: 10, mostBytes: 100);

        Assert.Equal(1ul, batches.Next(creditBytes: 20)!.Sequence);
        Assert.Equal(2ul, batches.Next(creditBytes: 20)!.Sequence);
        Assert.Null(batches.Next(creditBytes: 20));

        batches.Settle(new BatchKey(Epoch, 1));
        Assert.Equal(3ul, batches.Next(creditBytes: 20)!.Sequence);
    }

    [Fact]
    public void Sends_one_batch_that_is_larger_than_the_credit_when_nothing_is_in_flight() =>
        Assert.NotNull(With(1, bytes: 50, mostBytes: 100).Next(creditBytes: 20));

    [Fact]
    public void Sends_all_again_that_are_not_settled()
    {
        var batches = With(3, bytes: 10, mostBytes: 100);
        while (batches.Next(Unlimited) is not null)
        {
        }

        batches.Settle(new BatchKey(Epoch, 2));
        batches.Resend();

        Assert.Equal([1ul, 3ul], new[] { batches.Next(Unlimited)!.Sequence, batches.Next(Unlimited)!.Sequence });
        Assert.Null(batches.Next(Unlimited));
    }

    [Fact]
    public void Drops_the_oldest_when_it_is_full()
    {
        var batches = new UnsettledBatches(mostBytes: 25);
        batches.Add(Submit(1, 10));
        batches.Add(Submit(2, 10));

        Assert.Equal([1ul], batches.Add(Submit(3, 10)).Select(lost => lost.Sequence));
        Assert.Equal(20, batches.Bytes);
    }

    [Fact]
    public void Says_with_each_batch_below_which_sequence_all_is_settled()
    {
        var batches = With(3, bytes: 10, mostBytes: 100);
        batches.Settle(new BatchKey(Epoch, 1));

        Assert.Equal(2ul, batches.Next(Unlimited)!.SettledBelow);
        Assert.Null(batches.Settle(new BatchKey(Epoch, 1)));
    }

    private static UnsettledBatches With(int count, int bytes, long mostBytes)
    {
        var batches = new UnsettledBatches(mostBytes);
        for (var i = 1; i <= count; i++)
        {
            batches.Add(Submit((ulong)i, bytes));
        }

        return batches;
    }

    private static Submit Submit(ulong sequence, int bytes) => new() { Epoch = Epoch, Sequence = sequence, Payload = ByteString.CopyFrom(new byte[bytes]) };
}
