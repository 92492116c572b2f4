using ActorProfiler.Collector.Batching;
using ActorProfiler.Protocol;
using Google.Protobuf;

namespace ActorProfiler.Tests.Batching;

public class UnsettledBatchesTests
{
    private const long Unlimited = long.MaxValue;

    private static readonly DateTimeOffset _now = DateTimeOffset.UnixEpoch.AddYears(56);

    [Fact]
    public void Sends_a_deferred_batch_again_when_its_time_has_come()
    {
        var batches = With(2, bytes: 10, mostBytes: 100);
        var first = BatchKey.Of(batches.Next(Unlimited, _now, out _)!);
        batches.Next(Unlimited, _now, out _);

        batches.Defer(first);

        Assert.Equal(10, batches.BytesInFlight);
        Assert.Null(batches.Next(Unlimited, _now, out _));
        batches.Undefer();
        Assert.Equal(first.Sequence, batches.Next(Unlimited, _now, out _)!.Sequence);
        Assert.Equal(20, batches.BytesInFlight);
    }

    [Fact]
    public void Says_of_a_batch_sent_again_how_long_ago_it_was_sent_first()
    {
        var batches = With(1, bytes: 10, mostBytes: 100);
        var first = batches.Next(Unlimited, _now, out _)!;
        batches.Resend();

        var again = batches.Next(Unlimited, _now + TimeSpan.FromSeconds(5), out _)!;

        Assert.Equal((false, 0ul), (first.Resent, first.SentMillisAgo));
        Assert.Equal((true, 5001ul), (again.Resent, again.SentMillisAgo));
    }

    [Fact]
    public void Sends_the_oldest_first_and_only_so_much_as_there_is_credit()
    {
        var batches = With(3, bytes: 10, mostBytes: 100);

        Assert.Equal(1ul, batches.Next(20, _now, out _)!.Sequence);
        Assert.Equal(2ul, batches.Next(20, _now, out _)!.Sequence);
        Assert.Null(batches.Next(20, _now, out _));

        batches.Settle(new BatchKey(1, 1));
        Assert.Equal(3ul, batches.Next(20, _now, out _)!.Sequence);
    }

    [Fact]
    public void Sends_one_batch_that_is_larger_than_the_credit_when_nothing_is_in_flight() =>
        Assert.NotNull(With(1, bytes: 50, mostBytes: 100).Next(20, _now, out _));

    [Fact]
    public void Sends_all_again_that_are_not_settled()
    {
        var batches = With(3, bytes: 10, mostBytes: 100);
        while (batches.Next(Unlimited, _now, out _) is not null)
        {
        }

        batches.Settle(new BatchKey(1, 2));
        batches.Resend();

        Assert.Equal([1ul, 3ul], new[] { batches.Next(Unlimited, _now, out _)!.Sequence, batches.Next(Unlimited, _now, out _)!.Sequence });
        Assert.Null(batches.Next(Unlimited, _now, out _));
    }

    [Fact]
    public void Drops_the_oldest_when_it_is_full()
    {
        var batches = new UnsettledBatches(mostBytes: 25);
        batches.Add(Submit(1, 10), DateTimeOffset.UnixEpoch);
        batches.Add(Submit(2, 10), DateTimeOffset.UnixEpoch);

        Assert.Equal([1ul], batches.Add(Submit(3, 10), DateTimeOffset.UnixEpoch).Select(lost => lost.Key.Sequence));
        Assert.Equal(20, batches.Bytes);
    }

    [Fact]
    public void Says_below_which_sequence_of_its_epoch_all_is_settled()
    {
        var batches = With(3, bytes: 10, mostBytes: 100);
        batches.Restore(Submit(7, 10, epoch: 0), DateTimeOffset.UnixEpoch);
        batches.Loaded(new BatchKey(0, 7), Submit(7, 10, epoch: 0));
        batches.Settle(new BatchKey(1, 1));

        var (old, second) = (batches.Next(Unlimited, _now, out _)!, batches.Next(Unlimited, _now, out _)!);

        Assert.Equal((0ul, 7ul, 7ul, true), (old.Epoch, old.Sequence, old.SettledBelow, old.Resent));
        Assert.Equal((1ul, 2ul, 2ul, false), (second.Epoch, second.Sequence, second.SettledBelow, second.Resent));
        Assert.Null(batches.Settle(new BatchKey(1, 1)));
    }

    [Fact]
    public void Leaves_memory_for_the_disk_newest_first_and_comes_back_to_be_sent()
    {
        var batches = With(2, bytes: 10, mostBytes: 25);
        batches.Spooled(new BatchKey(1, 1));
        batches.Spooled(new BatchKey(1, 2));

        Assert.Empty(batches.Add(Submit(3, 10), DateTimeOffset.UnixEpoch));
        Assert.Equal(20, batches.Bytes);
        Assert.Equal(1ul, batches.Next(Unlimited, _now, out _)!.Sequence);
        Assert.Null(batches.Next(Unlimited, _now, out var load));
        Assert.Equal(new BatchKey(1, 2), load);
        Assert.Null(batches.Next(Unlimited, _now, out load));
        Assert.Null(load);

        Assert.Null(batches.Loaded(new BatchKey(1, 2), Submit(2, 10)));
        Assert.Equal(2ul, batches.Next(Unlimited, _now, out _)!.Sequence);
        Assert.Equal(3ul, batches.Next(Unlimited, _now, out _)!.Sequence);
    }

    [Fact]
    public void A_batch_that_is_neither_in_memory_nor_on_disk_is_lost()
    {
        var batches = With(2, bytes: 10, mostBytes: 15);
        var onDisk = new UnsettledBatches(mostBytes: 15);
        onDisk.Add(Submit(1, 10), DateTimeOffset.UnixEpoch);
        onDisk.Spooled(new BatchKey(1, 1));
        onDisk.Add(Submit(2, 10), DateTimeOffset.UnixEpoch);

        Assert.Equal(1, batches.Count);
        Assert.Equal(2, onDisk.Count);
        Assert.Equal(new BatchKey(1, 1), onDisk.Evicted(new BatchKey(1, 1))!.Key);
        Assert.Equal(1, onDisk.Count);
    }

    [Fact]
    public void A_repeat_says_that_it_is_one()
    {
        var batches = With(1, bytes: 10, mostBytes: 100);

        Assert.False(batches.Next(Unlimited, _now, out _)!.Resent);
        batches.Hurry();
        var again = batches.Next(Unlimited, _now, out _)!;

        Assert.True(again.Resent);
        Assert.True(again.Hurry);
    }

    private static UnsettledBatches With(int count, int bytes, long mostBytes)
    {
        var batches = new UnsettledBatches(mostBytes);
        for (var i = 1; i <= count; i++)
        {
            batches.Add(Submit((ulong)i, bytes), DateTimeOffset.UnixEpoch);
        }

        return batches;
    }

    private static Submit Submit(ulong sequence, int bytes, ulong epoch = 1) => new() { Epoch = epoch, Sequence = sequence, Payload = ByteString.CopyFrom(new byte[bytes]) };
}
