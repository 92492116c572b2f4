using System.Collections.Immutable;
using System.Net;
using ActorProfiler.Aggregator.Aggregation;
using ActorProfiler.Aggregator.Destinations;
using ActorProfiler.Aggregator.Pprof;
using ActorProfiler.Configuration.Evaluation;
using ActorProfiler.Http;

namespace ActorProfiler.Tests.Destinations;

/// <summary>Writes through a proxy that is told who asks by headers of its own.</summary>
public class ProxyTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_proxy_gets_the_headers_of_the_configuration_with_its_CONNECT_and_the_server_gets_the_push(bool byTls)
    {
        using var certificate = TestCertificate.Make();
        await using var server = await FakePyroscope.StartAsync(certificate: certificate);
        await using var proxy = new ConnectProxy(byTls ? certificate : null);
        using var destination = Destination(server.Url, new HttpClientOptions
        {
            ProxyUrl = $"{(byTls ? "https" : "http")}://me:word@localhost:{proxy.Port}",
            ProxyConnectHeader = Headers(("X-Team", ["profiling", "cpu"]), ("Proxy-Authorization", ["Bearer other"])),
            Tls = new TlsOptions { CaPem = certificate.ExportCertificatePem() },
            HttpHeaders = Headers(("X-Inside", ["yes"])),
        });

        Assert.Equal(WriteOutcome.Delivered, await destination.WriteAsync(Profile(), CancellationToken.None));
        Assert.Equal(WriteOutcome.Delivered, await destination.WriteAsync(Profile(), CancellationToken.None));

        Assert.Equal(
            $"CONNECT 127.0.0.1:{server.Url.Port} HTTP/1.1\r\nHost: 127.0.0.1:{server.Url.Port}\r\nX-Team: profiling\r\nX-Team: cpu\r\nProxy-Authorization: Basic {Convert.ToBase64String("me:word"u8)}\r\n\r\n",
            Assert.Single(proxy.Requests));
        Assert.Equal(2, server.Pushes.Count);
        Assert.All(server.Pushes, push => Assert.Equal((true, false), (push.Headers.ContainsKey("X-Inside"), push.Headers.ContainsKey("X-Team"))));
    }

    [Fact]
    public async Task A_server_without_TLS_is_asked_through_the_proxy_without_them()
    {
        await using var server = await FakePyroscope.StartAsync();
        await using var proxy = new ConnectProxy();
        using var destination = Destination(server.Url, new HttpClientOptions
        {
            ProxyUrl = $"http://127.0.0.1:{proxy.Port}",
            ProxyConnectHeader = Headers(("X-Team", ["profiling"])),
        });

        Assert.Equal(WriteOutcome.Delivered, await destination.WriteAsync(Profile(), CancellationToken.None));

        Assert.StartsWith($"POST {server.Url}push.v1.PusherService/Push HTTP/1.1\r\n", Assert.Single(proxy.Requests), StringComparison.Ordinal);
        Assert.False(Assert.Single(server.Pushes).Headers.ContainsKey("X-Team"));
    }

    [Fact]
    public async Task A_host_that_is_asked_directly_sees_no_proxy()
    {
        using var certificate = TestCertificate.Make();
        await using var server = await FakePyroscope.StartAsync(certificate: certificate);
        await using var proxy = new ConnectProxy();
        using var destination = Destination(server.Url, new HttpClientOptions
        {
            ProxyUrl = $"http://127.0.0.1:{proxy.Port}",
            NoProxy = "127.0.0.0/8",
            ProxyConnectHeader = Headers(("X-Team", ["profiling"])),
            Tls = new TlsOptions { CaPem = certificate.ExportCertificatePem() },
        });

        Assert.Equal(WriteOutcome.Delivered, await destination.WriteAsync(Profile(), CancellationToken.None));

        Assert.Empty(proxy.Requests);
        Assert.Single(server.Pushes);
    }

    [Theory]
    [InlineData("HTTP/1.1 407 Proxy Authentication Required", "it answered \"HTTP/1.1 407 Proxy Authentication Required\"")]
    [InlineData("SSH-2.0-server", "it answered \"SSH-2.0-server\", which is no HTTP")]
    public async Task Says_which_proxy_refused_what(string answer, string expected)
    {
        await using var proxy = new ConnectProxy(refusal: answer);
        using var http = HttpClients.Create(
            new HttpClientOptions { ProxyUrl = $"http://127.0.0.1:{proxy.Port}", ProxyConnectHeader = Headers(("X-Team", ["profiling"])) }, TimeSpan.FromSeconds(10), TimeProvider.System);

        var error = await Assert.ThrowsAsync<HttpRequestException>(() => http.GetAsync(new Uri("https://pyroscope.invalid")));

        Assert.Contains($"CONNECT pyroscope.invalid:443 by the proxy 127.0.0.1:{proxy.Port}: {expected}", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("X Team", "v", "\"X Team\" is no name of a header")]
    [InlineData("X-Team", "v\r\nHost: other", "has a value of several lines")]
    public void Refuses_headers_that_would_be_others(string name, string value, string expected)
    {
        var options = new HttpClientOptions { ProxyUrl = "http://proxy:3128", ProxyConnectHeader = Headers((name, [value])) };

        Assert.Contains(expected, Assert.Throws<FormatException>(options.Check).Message, StringComparison.Ordinal);
        Assert.Contains("proxy_url or proxy_from_environment must also be configured", Assert.Throws<FormatException>((options with { ProxyUrl = "" }).Check).Message, StringComparison.Ordinal);
    }

    private static PyroscopeDestination Destination(Uri url, HttpClientOptions http) => new(new PyroscopeWriteOptions(url) { Http = http }, TimeProvider.System);

    private static ImmutableSortedDictionary<string, ImmutableArray<SecretValue>> Headers(params (string Name, string[] Values)[] headers) =>
        headers.ToImmutableSortedDictionary(header => header.Name, header => header.Values.Select(value => new SecretValue(value)).ToImmutableArray(), StringComparer.Ordinal);

    private static EncodedProfile Profile()
    {
        var window = new ProfileWindow();
        window.Add(default, Samples.Batch(("work;main", 3)));
        return ProfileEncoder.Encode(Samples.Web, window.Flush(), new ProfileLimits(), new SeriesTimes())[0];
    }
}
