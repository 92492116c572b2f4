using ActorProfiler.Aggregator;
using ActorProfiler.Aggregator.Destinations;
using ActorProfiler.Aggregator.Ingest;
using ActorProfiler.Protocol;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace ActorProfiler.Tests.Ingest;

public sealed class IngestServiceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _clock = new(DateTimeOffset.FromUnixTimeMilliseconds(Samples.Start / 1_000_000));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_batch_sent_over_a_stream_is_stored_and_pushed()
    {
        await using var server = await FakePyroscope.StartAsync();
        await using var aggregator = await RunningAggregator.StartAsync(Options(server));
        await using var app = await ServeAsync(aggregator);
        using var channel = GrpcChannel.ForAddress(app.Urls.Single());
        using var stream = new Protocol.Ingest.IngestClient(channel).Stream();

        await stream.RequestStream.WriteAsync(new CollectorMessage { Hello = new Hello { CollectorId = Samples.Collector, Epoch = 1 } });
        var welcome = await NextAsync(stream);
        await stream.RequestStream.WriteAsync(Message(Samples.Submit(1, Samples.Web, Samples.Batch(("work;main", 3)))));
        var stored = await NextAsync(stream);

        Assert.Equal(4 << 20, welcome.Welcome.CreditBytes);
        Assert.Equal([1ul], stored.Stored.Sequences);
        await Eventually.TrueAsync(() => server.Pushes.Count == 1);
    }

    [Fact]
    public async Task Refuses_a_batch_whose_checksum_is_wrong_or_that_is_another_collectors()
    {
        await using var server = await FakePyroscope.StartAsync();
        await using var aggregator = await RunningAggregator.StartAsync(Options(server));
        await using var app = await ServeAsync(aggregator);
        using var channel = GrpcChannel.ForAddress(app.Urls.Single());
        using var stream = new Protocol.Ingest.IngestClient(channel).Stream();
        var (damaged, foreign) = (Samples.Submit(1, Samples.Web, Samples.Batch(("a", 1))), Samples.Submit(2, Samples.Web, Samples.Batch(("a", 1))));
        damaged.PayloadCrc32 ^= 1;
        foreign.CollectorId = ByteString.CopyFrom(new byte[16]);

        await stream.RequestStream.WriteAsync(new CollectorMessage { Hello = new Hello { CollectorId = Samples.Collector, Epoch = 1 } });
        await NextAsync(stream);
        await stream.RequestStream.WriteAsync(Message(damaged));
        await stream.RequestStream.WriteAsync(Message(foreign));

        Assert.Contains("payload_crc32", (await NextAsync(stream)).Refused.Message);
        Assert.Contains("collector_id", (await NextAsync(stream)).Refused.Message);
    }

    [Fact]
    public async Task Ends_a_stream_that_does_not_begin_with_a_hello()
    {
        await using var server = await FakePyroscope.StartAsync();
        await using var aggregator = await RunningAggregator.StartAsync(Options(server));
        await using var app = await ServeAsync(aggregator);
        using var channel = GrpcChannel.ForAddress(app.Urls.Single());
        using var stream = new Protocol.Ingest.IngestClient(channel).Stream();

        await stream.RequestStream.WriteAsync(Message(Samples.Submit(1, Samples.Web, Samples.Batch(("a", 1)))));

        var error = await Assert.ThrowsAsync<RpcException>(() => NextAsync(stream));
        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
    }

    [Fact]
    public async Task Ends_a_stream_that_exceeds_its_credit()
    {
        await using var server = await FakePyroscope.StartAsync();
        await using var aggregator = await RunningAggregator.StartAsync(Options(server) with { CreditBytes = 100 });
        await using var app = await ServeAsync(aggregator);
        using var channel = GrpcChannel.ForAddress(app.Urls.Single());
        using var stream = new Protocol.Ingest.IngestClient(channel).Stream();

        await stream.RequestStream.WriteAsync(new CollectorMessage { Hello = new Hello { CollectorId = Samples.Collector, Epoch = 1 } });
        await NextAsync(stream);
        await stream.RequestStream.WriteAsync(Message(Samples.Submit(1, Samples.Web, new byte[101], Compression.None, 1)));

        var error = await Assert.ThrowsAsync<RpcException>(() => NextAsync(stream));
        Assert.Equal(StatusCode.Unavailable, error.StatusCode);
    }

    [Fact]
    public async Task Refuses_a_copy_of_a_connected_collector_but_not_the_collector_itself()
    {
        await using var server = await FakePyroscope.StartAsync();
        await using var aggregator = await RunningAggregator.StartAsync(Options(server));
        await using var app = await ServeAsync(aggregator);
        using var channel = GrpcChannel.ForAddress(app.Urls.Single());
        using var original = new Protocol.Ingest.IngestClient(channel).Stream();
        using var again = new Protocol.Ingest.IngestClient(channel).Stream();
        using var copy = new Protocol.Ingest.IngestClient(channel).Stream();

        await original.RequestStream.WriteAsync(new CollectorMessage { Hello = new Hello { CollectorId = Samples.Collector, Epoch = 1, Instance = 1, Host = "first" } });
        await NextAsync(original);
        await again.RequestStream.WriteAsync(new CollectorMessage { Hello = new Hello { CollectorId = Samples.Collector, Epoch = 1, Instance = 1 } });
        await NextAsync(again);
        await copy.RequestStream.WriteAsync(new CollectorMessage { Hello = new Hello { CollectorId = Samples.Collector, Epoch = 2, Instance = 2 } });

        var error = await Assert.ThrowsAsync<RpcException>(() => NextAsync(copy));
        Assert.Equal(StatusCode.AlreadyExists, error.StatusCode);
        Assert.Contains("first", error.Status.Detail, StringComparison.Ordinal);
    }

    private static CollectorMessage Message(Submit submit) => new() { Submit = submit };

    private static async Task<AggregatorMessage> NextAsync(AsyncDuplexStreamingCall<CollectorMessage, AggregatorMessage> stream)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        Assert.True(await stream.ResponseStream.MoveNext(timeout.Token));
        return stream.ResponseStream.Current;
    }

    private static async Task<WebApplication> ServeAsync(RunningAggregator aggregator)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureEndpointDefaults(listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(aggregator.System.Endpoint);
        builder.Services.AddSingleton(TimeProvider.System);
        var app = builder.Build();
        app.MapGrpcService<IngestService>();
        await app.StartAsync();
        return app;
    }

    private AggregatorOptions Options(FakePyroscope server) => new(_folder.Path)
    {
        Window = TimeSpan.FromMilliseconds(200),
        Destinations = [DestinationSetup.Pyroscope(new PyroscopeWriteOptions(server.Url) { Name = "server" }, _clock)],
        Clock = _clock,
    };
}
