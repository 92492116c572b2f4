using System.Globalization;
using System.Text.RegularExpressions;
using ActorProfiler.Tests.Run;

namespace ActorProfiler.Tests.Record;

/// <summary>The ledger of <c>actorprofiler record</c>. Alone, for its ticks are those of the whole host.</summary>
[Collection(nameof(Alone))]
public sealed partial class RecordLedgerTests : IDisposable
{
    private readonly Recorder _recorder = new();

    [Theory]
    [InlineData(97)]
    [InlineData(997)]
    public void Accounts_for_every_tick_of_two_hundred_processes_and_loses_none(int rate)
    {
        const int Processes = 200;
        Requirements.Bpf();
        using var busy = TestPrograms.Start(TestPrograms.CompileC("split", "-O2"), "120");
        var path = TestPrograms.CompileC("light", "-O2");
        var light = Enumerable.Range(0, Processes).Select(_ => TestPrograms.Start(path, "120")).ToList();
        try
        {
            var recorded = _recorder.Record(pid: null, "3s", rate);

            var ledger = Ledger().Match(recorded.Output);
            Assert.True(ledger.Success, recorded.Output);
            Assert.Equal(Number("ticks"), Number("recorded") + Number("dropped"));
            Assert.Equal(Number("recorded"), recorded.TicksOf(_ => true));
            Assert.All(Reason().Matches(ledger.Groups["reasons"].Value), reason => Assert.Contains(reason.Value, (string[])["idle", "kernel_thread"]));
            Assert.Equal(1_000_000_000 / rate, recorded.Profile.Period);
            Assert.True(recorded.Profile.DurationNanos >= 2.9e9, $"{recorded.Profile.DurationNanos} ns");

            long Number(string name) => long.Parse(ledger.Groups[name].Value, CultureInfo.InvariantCulture);
        }
        finally
        {
            light.ForEach(process => process.Dispose());
        }
    }

    public void Dispose() => _recorder.Dispose();

    [GeneratedRegex(@"ledger\s+(?<ticks>\d+) ticks = (?<recorded>\d+) recorded \+ (?<dropped>\d+) dropped(?: \((?<reasons>[^)]*)\))?")]
    private static partial Regex Ledger();

    [GeneratedRegex("[a-z_]+")]
    private static partial Regex Reason();
}
