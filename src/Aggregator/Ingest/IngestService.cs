using System.Threading.Channels;
using ActorProfiler.Aggregator.Aggregation;
using ActorProfiler.Protocol;
using Akka.Actor;
using Grpc.Core;

namespace ActorProfiler.Aggregator.Ingest;

/// <summary>Where gRPC streams enter.</summary>
/// <param name="Gate">The <see cref="IngestGateActor"/>.</param>
/// <param name="Node">Name of this aggregator in <see cref="Welcome"/>.</param>
/// <param name="CreditBytes">Payload a stream may have unanswered.</param>
internal sealed record IngestEndpoint(IActorRef Gate, string Node, long CreditBytes);

/// <summary>Carries each stream to an <see cref="IngestActor"/> of its own.</summary>
/// <remarks>
/// A stream ends with <see cref="StatusCode.InvalidArgument"/> when it does not begin with a sound Hello, with
/// <see cref="StatusCode.AlreadyExists"/> when another process is connected under its identity, with <see cref="StatusCode.PermissionDenied"/>
/// when that identity belongs to another certificate, with <see cref="StatusCode.Unavailable"/> when this aggregator stops, the credit is exceeded or answers are not read.
/// </remarks>
internal sealed class IngestService(IngestEndpoint endpoint, TimeProvider clock) : Protocol.Ingest.IngestBase
{
    private static readonly TimeSpan _helloTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _lastAnswersTimeout = TimeSpan.FromSeconds(2);

    public override async Task Stream(
        IAsyncStreamReader<CollectorMessage> requests, IServerStreamWriter<AggregatorMessage> responses, ServerCallContext context)
    {
        var hello = await ReadHelloAsync(requests, context.CancellationToken).ConfigureAwait(false);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
        var client = new StreamClient(ended);
        var ingest = await OpenAsync(hello, client, OwnerOf(context), context.CancellationToken).ConfigureAwait(false);
        try
        {
            await responses.WriteAsync(
                new AggregatorMessage { Welcome = new Welcome { Node = endpoint.Node, CreditBytes = endpoint.CreditBytes } },
                context.CancellationToken).ConfigureAwait(false);
            var reading = ReadAsync(requests, ingest, ended.Token);
            var writing = WriteAsync(client, responses, ended.Token);
            await Task.WhenAny(reading, writing).ConfigureAwait(false);
            client.Close("");

            // Closed by this end, the answers given so far still go out; the collector would send their batches elsewhere.
            await writing.ConfigureAwait(false);
            await ended.CancelAsync().ConfigureAwait(false);
            await reading.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (client.Reason.Length > 0)
        {
            throw new RpcException(new Grpc.Core.Status(client.IsCloned ? StatusCode.AlreadyExists : StatusCode.Unavailable, client.Reason));
        }
        finally
        {
            client.Close("");
            ingest.Tell(PoisonPill.Instance);
        }
    }

    private async Task<IActorRef> OpenAsync(Hello hello, StreamClient client, string certificate, CancellationToken cancellation)
    {
        // Ask: a gRPC call is outside of any actor.
        var answer = await endpoint.Gate
            .Ask<object>(new IngestGateActor.Open(hello, client, endpoint.CreditBytes, certificate), _helloTimeout, cancellation)
            .ConfigureAwait(false);
        return answer is IngestGateActor.Admitted admitted
            ? admitted.Ingest
            : throw EndOf((IngestGateActor.Refusal)answer);
    }

    private static RpcException EndOf(IngestGateActor.Refusal refusal) => new(new Grpc.Core.Status(refusal.Status, refusal.Reason));

    // Not the key's: a renewed certificate is the same owner's.
    private static string OwnerOf(ServerCallContext context) => context.GetHttpContext().Connection.ClientCertificate?.Subject ?? "";

    private async Task<Hello> ReadHelloAsync(IAsyncStreamReader<CollectorMessage> requests, CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(_helloTimeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation);
        if (!await requests.MoveNext(either.Token).ConfigureAwait(false)
            || requests.Current.Hello is not { } hello
            || hello.CollectorId.Length != BatchId.CollectorBytes)
        {
            throw new RpcException(new Grpc.Core.Status(
                StatusCode.InvalidArgument, $"a stream begins with a Hello whose collector_id has {BatchId.CollectorBytes} bytes"));
        }

        return hello;
    }

    private static async Task ReadAsync(IAsyncStreamReader<CollectorMessage> requests, IActorRef ingest, CancellationToken cancellation)
    {
        while (await requests.MoveNext(cancellation).ConfigureAwait(false))
        {
            if (requests.Current.Submit is { } submit)
            {
                ingest.Tell(submit);
            }
        }
    }

    private static async Task WriteAsync(StreamClient client, IServerStreamWriter<AggregatorMessage> responses, CancellationToken cancellation)
    {
        await foreach (var message in client.Messages.ReadAllAsync(cancellation).ConfigureAwait(false))
        {
            await responses.WriteAsync(message, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Answers on their way to the stream, bounded: a collector that does not read them loses its stream.</summary>
    private sealed class StreamClient(CancellationTokenSource ended) : IIngestClient
    {
        private readonly Channel<AggregatorMessage> _messages = Channel.CreateBounded<AggregatorMessage>(16_384);
        private End? _end;

        public ChannelReader<AggregatorMessage> Messages => _messages.Reader;

        /// <summary>Why the aggregator ended the stream, or "".</summary>
        public string Reason => Volatile.Read(ref _end)?.Reason ?? "";

        public bool IsCloned => Volatile.Read(ref _end)?.IsCloned ?? false;

        public void Send(AggregatorMessage message)
        {
            if (!_messages.Writer.TryWrite(message))
            {
                Close("answers are not read");
            }
        }

        public void Close(string reason, bool isCloned = false)
        {
            // The first end counts. It is known before the messages end: whoever sees that asks for the reason at once.
            if (Interlocked.CompareExchange(ref _end, new End(reason, isCloned), null) is not null)
            {
                return;
            }

            _messages.Writer.TryComplete();
            if (reason.Length > 0)
            {
                ended.CancelAfter(_lastAnswersTimeout);
            }
        }

        private sealed record End(string Reason, bool IsCloned);
    }
}
