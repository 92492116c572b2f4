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
    [InlineData("--role boss", "boss")]
    [InlineData("--role collector", "--role collector needs a cluster block with aggregators")]
    [InlineData("--http.listen everywhere", "--http.listen everywhere: expected an address and a port")]
    public async Task A_wrong_argument_is_named_in_one_line(string arguments, string expected)
    {
        using var service = ServiceProcess.Start(null, ["run", "--data-dir", _data.Path, .. arguments.Split(' ')]);

        Assert.Equal(Usage, await service.ExitAsync());
        Assert.Contains(expected, Assert.Single(service.Lines), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nonsense \"x\" { }", "1:1: unrecognized block name \"nonsense\"")]
    [InlineData("pyroscope.ebf \"x\" { }", "did you mean \"pyroscope.ebpf\"?")]
    [InlineData("pyroscope.ebpf \"x\" {\n  forward_to = []\n  sample_rat = 5\n}", "3:3: unrecognized attribute name \"sample_rat\"; did you mean \"sample_rate\"?")]
    [InlineData("pyroscope.ebpf \"x\" {\n  forward_to = 5\n}", "2:16: 5 should be array, got number")]
    [InlineData("discovery.relabel \"a\" {\n  targets = discovery.relabel.b.output\n}\ndiscovery.relabel \"b\" {\n  targets = discovery.relabel.a.output\n}", "cycle: discovery.relabel.a uses discovery.relabel.b uses discovery.relabel.a")]
    [InlineData("pyroscope.write \"w\" {\n  endpoint {\n    url = \"http://x\"\n    bearer_token_file = \"/does/not/exist\"\n  }\n}", "bearer_token_file \"/does/not/exist\" does not exist")]
    [InlineData("pyroscope.write \"w\" {\n  endpoint {\n    url = \"http://x\"\n    bearer_token_file = \"/dev/null\"\n  }\n}", "bearer_token_file \"/dev/null\" is empty")]
    [InlineData("pyroscope.write \"w\" {\n  endpoint {\n    url = env(\"NO_SUCH_VARIABLE\")\n  }\n}", "environment variable \"NO_SUCH_VARIABLE\" is not set")]
    [InlineData("pyroscope.ebpf \"x\" {\n  forward_to = []\n  collect_interval = \"3\"\n}", "3:22: \"3\" is wrong: \"3\" is no duration")]
    [InlineData("discovery.relabel \"a\" {\n  targets = []\n  rule {\n    regex = \"(\"\n  }\n}", "4:13: \"(\" is wrong: error parsing regexp")]
    [InlineData("pyroscope.ebpf \"x\" {\n  forward_to = []\n  sample_rate = -1\n}", "3:17: -1 should be 1 to 10000, got -1")]
    [InlineData("pyroscope.ebpf \"x\" {\n  forward_to = []\n  sample_rate = 1000000000\n}", "should be 1 to 10000, got 1000000000")]
    [InlineData("discovery.process \"a\" { }\ndiscovery.process \"a\" { }", "2:1: block \"discovery.process.a\" is declared twice; the first is at")]
    [InlineData("pyroscope.write \"w\" {\n  endpoint {\n    url = \"http://x\"\n    bearer_token = \"a\"\n    basic_auth {\n      username = \"u\"\n      password = \"p\"\n    }\n  }\n}", "at most one of basic_auth, authorization, oauth2, bearer_token & bearer_token_file must be configured")]
    [InlineData("cluster {\n  address = \"127.0.0.1:1\"\n  peers = [\"tier:4054\"]\n}", "peers and peer_targets need peers_expected = N")]
    [InlineData("cluster {\n  address = \"127.0.0.1:1\"\n  peers = [\"tier:4054\"]\n  seeds = [\"tier:4054\"]\n}", "either seeds or peers and peer_targets, not both")]
    public async Task A_wrong_configuration_is_named_with_its_place(string text, string expected)
    {
        var path = Path.Combine(_data.Path, "wrong.alloy");
        await File.WriteAllTextAsync(path, text);
        using var run = ServiceProcess.Start(null, "run", path, "--data-dir", _data.Path);
        using var validate = ServiceProcess.Start(null, "validate", path);

        Assert.Equal((Usage, Usage), (await run.ExitAsync(), await validate.ExitAsync()));
        Assert.Contains(expected, run.Text, StringComparison.Ordinal);
        Assert.Contains(expected, validate.Text, StringComparison.Ordinal);
        Assert.Contains(run.Lines, line => line.StartsWith($"{path}:", StringComparison.Ordinal));
        Assert.Contains("^", validate.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("aggregator")]
    [InlineData("collector")]
    public async Task A_data_folder_that_cannot_be_written_is_named(string role)
    {
        var file = Path.Combine(_data.Path, "file");
        await File.WriteAllTextAsync(file, "");
        using var service = ServiceProcess.Start(
            null, "run", ConfigText.Write(_data, cluster: $"{ConfigText.Aggregators("127.0.0.1:9")}\nlisten = \"127.0.0.1:0\""), "--role", role, "--data-dir", file, "--http.listen", "127.0.0.1:0");

        Assert.Equal(Failure, await service.ExitAsync());
        Assert.Contains(file, Assert.Single(service.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_damaged_identity_is_named_with_its_cure()
    {
        var file = Path.Combine(Directory.CreateDirectory(Path.Combine(_data.Path, "collector")).FullName, "collector-id");
        await File.WriteAllTextAsync(file, "what?");
        using var service = ServiceProcess.Start(
            null, "run", ConfigText.Write(_data, cluster: ConfigText.Aggregators("127.0.0.1:9")), "--role", "collector", "--data-dir", _data.Path, "--http.listen", "127.0.0.1:0");

        Assert.Equal(Failure, await service.ExitAsync());
        Assert.Contains("delete the file", Assert.Single(service.Lines), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_port_in_use_is_named(bool isThePage)
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        using var service = ServiceProcess.Start(
            null, "run", ConfigText.Write(_data, cluster: $"listen = \"{(isThePage ? "127.0.0.1:0" : other.LocalEndpoint)}\""), "--role", "aggregator", "--data-dir", _data.Path,
            "--http.listen", isThePage ? other.LocalEndpoint.ToString()! : "127.0.0.1:0");

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
            null, "run", ConfigText.Write(_data, cluster: ConfigText.Aggregators("127.0.0.1:9")), "--role", "collector", "--data-dir", _data.Path, "--http.listen", "127.0.0.1:0");
        using var data = new TemporaryFolder();
        using var all = ServiceProcess.Start(
            null, "run", ConfigText.Write(data, "http://127.0.0.1:9"), "--data-dir", data.Path, "--http.listen", "127.0.0.1:0");

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
