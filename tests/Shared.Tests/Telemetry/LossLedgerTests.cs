using ActorProfiler.Telemetry;

namespace ActorProfiler.Tests.Telemetry;

public class LossLedgerTests
{
    [Fact]
    public void Knows_what_is_in_flight()
    {
        var ledger = new LossLedger();
        ledger.Enter(10);
        ledger.Deliver(4);
        ledger.Drop("ring_full", 1);
        ledger.Drop("ring_full", 2);
        ledger.Drop("expired", 0);

        Assert.Equal(3, ledger.InFlight);
        Assert.Equal([new KeyValuePair<string, long>("ring_full", 3)], ledger.Dropped);
    }
}
