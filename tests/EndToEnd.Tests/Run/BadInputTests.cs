using System.Net;
using System.Net.Sockets;

namespace ActorProfiler.Tests.Run;

/// <summary>What a person does wrong, and what a host lacks: one clear line, the right exit code, no hanging.</summary>
public sealed class BadInputTests : IDisposable
{
    private const int Failure = 1;
    private const int Usage = 2;

    private readonly TemporaryFolder _data = new();

    public void Dispose() => _data.Dispose();

    [Theory]
    [InlineData("--nonsense", "--nonsense")]
    [InlineData("--sample-rate 0", "--sample-rate 0: expected 1 to")]
    [InlineData("--sample-rate 1000000000", "--sample-rate 1000000000: expected 1 to")]
    [InlineData("--sample-rate fast", "fast")]
    [InlineData("--window 5x", "--window 5x: expected a duration")]
    [InlineData("--collect-interval -3s", "--collect-interval -3s: expected a duration")]
    [InlineData("--role boss", "boss")]
    [InlineData("--role collector", "--role collector needs at least one --aggregator URL")]
    [InlineData("--role collector --aggregator ftp://there", "--aggregator ftp://there: expected a URL")]
    [InlineData("--role collector --aggregator http://10.0.0.1:4053", "talk over a network here")]
    [InlineData("--role aggregator --ingest.listen 0.0.0.0:4053", "talk over a network here")]
    [InlineData("--role aggregator --cluster.address 10.0.0.1:4054", "talk over a network here")]
    [InlineData("--role collector --aggregator http://10.0.0.1:4053 --tls.dir /nowhere", "expected https://")]
    [InlineData("--destination nowhere", "--destination nowhere: expected a URL")]
    [InlineData("--http.listen everywhere", "--http.listen everywhere: expected an address and a port")]
    [InlineData("--role aggregator --cluster.address here", "--cluster.address here: expected host:port")]
    public async Task A_wrong_argument_is_named_in_one_line(string arguments, string expected)
    {
        using var service = ServiceProcess.Start(null, ["run", "--data-dir", _data.Path, .. arguments.Split(' ')]);

        Assert.Equal(Usage, await service.ExitAsync());
        Assert.Contains(expected, Assert.Single(service.Lines), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("aggregator")]
    [InlineData("collector")]
    public async Task A_data_folder_that_cannot_be_written_is_named(string role)
    {
        var file = Path.Combine(_data.Path, "file");
        await File.WriteAllTextAsync(file, "");
        using var service = ServiceProcess.Start(
            null, "run", "--role", role, "--aggregator", "http://127.0.0.1:9", "--data-dir", file, "--http.listen", "127.0.0.1:0", "--ingest.listen", "127.0.0.1:0");

        Assert.Equal(Failure, await service.ExitAsync());
        Assert.Contains(file, Assert.Single(service.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_damaged_identity_is_named_with_its_cure()
    {
        var file = Path.Combine(Directory.CreateDirectory(Path.Combine(_data.Path, "collector")).FullName, "collector-id");
        await File.WriteAllTextAsync(file, "what?");
        using var service = ServiceProcess.Start(
            null, "run", "--role", "collector", "--aggregator", "http://127.0.0.1:9", "--data-dir", _data.Path, "--http.listen", "127.0.0.1:0");

        Assert.Equal(Failure, await service.ExitAsync());
        Assert.Contains("delete the file", Assert.Single(service.Lines), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--http.listen", "--ingest.listen")]
    [InlineData("--ingest.listen", "--http.listen")]
    public async Task A_port_in_use_is_named(string taken, string free)
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        using var service = ServiceProcess.Start(
            null, "run", "--role", "aggregator", "--data-dir", _data.Path, taken, other.LocalEndpoint.ToString()!, free, "127.0.0.1:0");

        Assert.Equal(Failure, await service.ExitAsync());
        Assert.Contains(other.LocalEndpoint.ToString()!, Assert.Single(service.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Missing_rights_are_named()
    {
        Requirements.Bpf();
        Requirements.Tool("setpriv", "util-linux");
        using var service = ServiceProcess.StartUnder(
            [Requirements.FindOnPath("setpriv")!, "--bounding-set=-all", "--inh-caps=-all"], "run", "--data-dir", _data.Path, "--http.listen", "127.0.0.1:0");

        Assert.Equal(Failure, await service.ExitAsync());
        Assert.Contains("needs root, or the capabilities", Assert.Single(service.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unreachable_aggregators_and_destinations_are_said_once_and_waited_for()
    {
        Requirements.Bpf();
        using var busy = TestPrograms.Start(TestPrograms.CompileC("split", "-O1"), "60");
        using var collector = ServiceProcess.Start(
            null, "run", "--role", "collector", "--aggregator", "http://127.0.0.1:9", "--data-dir", _data.Path, "--http.listen", "127.0.0.1:0");
        using var data = new TemporaryFolder();
        using var all = ServiceProcess.Start(
            null, "run", "--destination", "http://127.0.0.1:9", "--data-dir", data.Path, "--http.listen", "127.0.0.1:0", "--collect-interval", "1s", "--window", "1s");

        await all.WaitForLineAsync("takes no profiles");
        await collector.WaitForLineAsync("no aggregator: http://127.0.0.1:9/");
        Assert.Equal(0, await collector.StopAsync());
        Assert.Equal(0, await all.StopAsync());

        Assert.Single(collector.Lines, line => line.Contains("no aggregator:", StringComparison.Ordinal));
        Assert.Single(all.Lines, line => line.Contains("takes no profiles", StringComparison.Ordinal));
        Assert.Single(collector.Lines, line => line.Contains("were not stored", StringComparison.Ordinal));
        var (ticks, delivered, dropped, waiting) = all.Balance("http://127.0.0.1:9");
        Assert.Equal((0, 0, ticks), (delivered, dropped, waiting));
    }
}
