using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using ActorProfiler.Aggregator.Peers;
using Akka.Actor;

namespace ActorProfiler.Tests.Peers;

public class PeerBootstrapTests
{
    private static readonly string[] _three = ["10.0.0.1:4054", "10.0.0.2:4054", "10.0.0.3:4054"];

    private static readonly PeerSearch _search = new(3, PeerSources.None);

    private readonly PeerBootstrap _bootstrap = new("10.0.0.2:4054", _search);
    private DateTimeOffset _now = DateTimeOffset.UnixEpoch;

    [Fact]
    public void Joins_those_that_answer_in_one_order_when_they_stay_the_same()
    {
        Assert.Null(Look(_three, _three).Seeds);
        Assert.Null(Look(_three[1..], _three[1..]).Seeds);
        Assert.Null(Look(_three, _three).Seeds);
        var decision = Look([.. _three.Reverse()], _three, after: _search.Stable);

        Assert.Equal(_three, decision.Seeds!.Value);
        Assert.Null(Look(_three, _three).Seeds); // said once
    }

    [Fact]
    public void Makes_no_cluster_with_less_than_a_majority()
    {
        Look(["10.0.0.2:4054"], ["10.0.0.2:4054"]);
        var decision = Look(["10.0.0.2:4054"], ["10.0.0.2:4054"], after: TimeSpan.FromHours(1));

        Assert.Null(decision.Seeds);
        Assert.Equal("1 of 3 aggregators answer (10.0.0.2:4054 of 10.0.0.2:4054); a cluster is made by 2", decision.Waiting);
    }

    [Fact]
    public void Does_not_wait_for_one_that_is_found_but_does_not_answer()
    {
        Look(_three, _three[1..]);

        Assert.Equal(_three[1..], Look(_three, _three[1..], after: _search.Stable).Seeds!.Value);
    }

    [Fact]
    public void Joins_anew_when_one_more_answers()
    {
        Look(_three, _three[1..]);
        Look(_three, _three[1..], after: _search.Stable);

        Assert.Equal(_three, Look(_three, _three).Seeds!.Value);
    }

    [Fact]
    public void Says_that_the_others_know_it_by_another_address()
    {
        string[] others = ["10.0.0.1:4054", "10.0.0.3:4054"];
        Look(others, others);

        var decision = Look(others, others, after: _search.Stable);

        Assert.Null(decision.Seeds);
        Assert.StartsWith("10.0.0.2:4054 is not among the aggregators that were found", decision.Waiting, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_stands_for_all_its_addresses_of_the_kind_of_ones_own()
    {
        var sources = new PeerSources(["tier:4054", "gone:4054"], ["10.0.0.9:4054"]);
        IPAddress[] addresses = [IPAddress.Parse("10.0.0.2"), IPAddress.Parse("10.0.0.1"), IPAddress.Parse("fd00::1")];

        var (found, problem) = await sources.LookUpAsync(Address.Parse("akka.tcp://actorprofiler@10.0.0.2:4054"), Resolve);

        Assert.Equal(["10.0.0.1:4054", "10.0.0.2:4054", "10.0.0.9:4054"], found);
        Assert.StartsWith("look up gone:4054: ", problem, StringComparison.Ordinal);

        Task<IPAddress[]> Resolve(string name) => name == "tier" ? Task.FromResult(addresses) : Task.FromException<IPAddress[]>(new SocketException((int)SocketError.HostNotFound));
    }

    private PeerBootstrap.Decision Look(string[] found, string[] reached, TimeSpan after = default) =>
        _bootstrap.Look(found.ToImmutableSortedSet(StringComparer.Ordinal), reached.ToHashSet(), _now += after);
}
