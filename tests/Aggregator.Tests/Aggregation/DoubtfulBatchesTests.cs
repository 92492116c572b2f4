using System.Collections.Immutable;
using ActorProfiler.Aggregator.Aggregation;
using ActorProfiler.Protocol;
using Akka.Actor;

namespace ActorProfiler.Tests.Aggregation;

public sealed class DoubtfulBatchesTests
{
    private static readonly Address _one = new("akka.tcp", "x", "one", 1);
    private static readonly Address _two = new("akka.tcp", "x", "two", 1);
    private static readonly DateTimeOffset _now = DateTimeOffset.UnixEpoch.AddYears(56);

    [Fact]
    public void A_doubt_is_over_when_all_have_said_no_or_one_yes()
    {
        var doubts = new DoubtfulBatches();
        var (first, second) = (Add(doubts, 1, _one, _two), Add(doubts, 2, _one, _two));

        Assert.Null(doubts.Answer(first, _one, held: false));
        Assert.NotNull(doubts.Answer(first, _two, held: false));
        Assert.NotNull(doubts.Answer(second, _two, held: true));
        Assert.Equal((0, 0L), (doubts.Count, doubts.Bytes));
        Assert.Empty(doubts.Unanswering());
    }

    [Fact]
    public void Names_only_so_many_at_a_time_and_the_oldest_first()
    {
        var doubts = new DoubtfulBatches();
        var ids = Enumerable.Range(1, 1000).Select(i => Add(doubts, (ulong)i, _one)).ToList();

        Assert.Equal(ids[..10], doubts.Questions(_one, 10));
        doubts.Answer(ids[0], _one, held: false);
        Assert.Equal(ids[1..11], doubts.Questions(_one, 10));
        Assert.Empty(doubts.Questions(_two, 10));
    }

    [Fact]
    public void One_that_will_not_come_back_is_waited_for_no_longer()
    {
        var doubts = new DoubtfulBatches();
        var (both, gone) = (Add(doubts, 1, _one, _two), Add(doubts, 2, _two));

        Assert.Equal([gone], doubts.Keep(new HashSet<Address> { _one }).Select(doubt => doubt.Id));
        Assert.NotNull(doubts.Answer(both, _one, held: false));
    }

    [Theory]
    [InlineData(0, 2)] // unknown: everybody
    [InlineData(30, 1)] // it was gone for ten minutes by then
    [InlineData(620, 2)] // it was there
    public void A_batch_cannot_be_where_nobody_was_when_it_was_sent_first(int sentSecondsAgo, int holders)
    {
        var others = ImmutableDictionary<Address, DateTimeOffset?>.Empty.Add(_one, null).Add(_two, _now - TimeSpan.FromMinutes(10));
        var submit = new Submit { SentMillisAgo = (ulong)sentSecondsAgo * 1000 };

        Assert.Equal(holders, new Aggregators(SeriesRing.Empty, others).Holders(submit, _now).Count);
    }

    private static BatchId Add(DoubtfulBatches doubts, ulong sequence, params Address[] others)
    {
        var submit = Samples.Submit(sequence, Samples.Web, Samples.Batch(("a", 1)));
        doubts.Add(BatchId.Of(submit), submit, ActorRefs.Nobody, others, _now);
        return BatchId.Of(submit);
    }
}
