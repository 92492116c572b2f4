using ActorProfiler.Aggregator.Ingest;

namespace ActorProfiler.Tests.Ingest;

public sealed class CollectorRegisterTests
{
    [Fact]
    public void An_identity_belongs_to_the_certificate_it_came_with_first()
    {
        var register = new CollectorRegister(new QuotaOptions(), TimeProvider.System);

        var first = register.Admit(Samples.Collector, "CN=host-1");

        Assert.NotNull(first);
        Assert.Same(first, register.Admit(Samples.Collector, "CN=host-1"));
        Assert.Null(register.Admit(Samples.Collector, "CN=host-2"));
    }
}
