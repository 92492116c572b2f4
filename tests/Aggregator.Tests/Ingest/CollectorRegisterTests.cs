using System.Collections.Immutable;
using ActorProfiler.Aggregator.Ingest;
using Google.Protobuf;

namespace ActorProfiler.Tests.Ingest;

public sealed class CollectorRegisterTests
{
    [Fact]
    public void An_identity_belongs_to_the_certificate_it_came_with_first()
    {
        var register = new CollectorRegister(new QuotaOptions(), ImmutableDictionary<ByteString, string>.Empty, TimeProvider.System);

        var first = register.Admit(Samples.Collector, "CN=host-1", out var isNew);

        Assert.NotNull(first);
        Assert.True(isNew);
        Assert.Same(first, register.Admit(Samples.Collector, "CN=host-1", out isNew));
        Assert.False(isNew);
        Assert.Null(register.Admit(Samples.Collector, "CN=host-2", out _));
    }

    [Fact]
    public void An_identity_of_an_earlier_start_stays_with_its_certificate()
    {
        var register = new CollectorRegister(new QuotaOptions(), ImmutableDictionary<ByteString, string>.Empty.Add(Samples.Collector, "CN=host-1"), TimeProvider.System);

        Assert.Null(register.Admit(Samples.Collector, "CN=host-2", out _));
        Assert.NotNull(register.Admit(Samples.Collector, "CN=host-1", out var isNew));
        Assert.False(isNew);
    }
}
