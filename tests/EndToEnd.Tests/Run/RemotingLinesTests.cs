using ActorProfiler.Commands.Run;
using Akka.Event;
using Microsoft.Extensions.Time.Testing;

namespace ActorProfiler.Tests.Run;

public sealed class RemotingLinesTests
{
    private const string Gated =
        "Association with remote system akka.tcp://actorprofiler@10.0.0.3:4054 has failed; address is now gated for 5000 ms. Reason is: [Akka.Remote.EndpointDisassociatedException: Disassociated\n   at Akka.Remote.EndpointWriter.PublishAndThrow(Exception reason)\n   at X]";

    private const string Refused =
        "Tried to associate with unreachable remote address [akka.tcp://actorprofiler@10.0.0.3:4054]. Address is now gated for 5000 ms, all messages to this address will be delivered to dead letters. Reason: [connect to 10.0.0.3:4054: Connection refused] Caused by: [System.Exception: x\n   at Y]";

    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public void Says_in_one_line_which_node_is_gone_and_why()
    {
        var lines = new RemotingLines(_clock);

        Assert.Equal("no connection to aggregator 10.0.0.3:4054: it was lost; it is tried again every 5 s", lines.Line(Warning(Gated)));
        Assert.Equal("no connection to aggregator 10.0.0.3:4054: connect to 10.0.0.3:4054: Connection refused; it is tried again every 5 s", lines.Line(Warning(Refused)));
    }

    [Fact]
    public void Repeats_itself_only_after_a_while()
    {
        var lines = new RemotingLines(_clock);

        Assert.NotNull(lines.Line(Warning(Refused)));
        Assert.Null(lines.Line(Warning(Refused)));
        _clock.Advance(RemotingLines.SayAgainAfter);
        Assert.NotNull(lines.Line(Warning(Refused)));
    }

    [Fact]
    public void Leaves_out_the_records_of_the_same_event_and_stack_traces()
    {
        var lines = new RemotingLines(_clock);

        Assert.Null(lines.Line(Warning("AssociationError [akka.tcp://actorprofiler@10.0.0.2:4054] -> akka.tcp://actorprofiler@10.0.0.3:4054: Error [x] []")));
        Assert.Equal("something else", lines.Line(Warning("something else\n   at Z")));
    }

    private static Warning Warning(string text) => new("remoting (akka://actorprofiler)", typeof(object), text);
}
