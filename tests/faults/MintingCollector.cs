using System.Collections.Concurrent;
using System.Net.Security;
using System.Security.Cryptography;
using ActorProfiler.Protocol;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace ActorProfiler.Tests.Faults;

/// <summary>
/// A collector without a host: what it sends is minted by an <see cref="Oracle"/>. It speaks the protocol of the product by a client of its own: one
/// stream to one of the aggregators, every batch kept until it is acknowledged and sent again otherwise.
/// </summary>
internal sealed class MintingCollector : IAsyncDisposable
{
    private readonly Oracle _oracle;
    private readonly MintingOptions _options;
    private readonly ByteString _id;
    private readonly ulong _instance = (ulong)Random.Shared.NextInt64();
    private readonly ulong _epoch;
    private readonly ConcurrentDictionary<ulong, Kept> _unsettled = new();
    private readonly SemaphoreSlim _work = new(0);
    private readonly CancellationTokenSource _stopped = new();
    private readonly Task _minting;
    private readonly Task _sending;
    private ulong _sequence;
    private volatile bool _isDraining;
    private volatile bool _isMinting = true;

    private MintingCollector(Oracle oracle, MintingOptions options)
    {
        (_oracle, _options) = (oracle, options);
        _id = ByteString.CopyFrom(options.Id ?? RandomNumberGenerator.GetBytes(16));
        _epoch = (ulong)TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        _minting = MintAsync();
        _sending = SendAsync();
    }

    /// <summary>Batches that are not acknowledged.</summary>
    public int Unsettled => _unsettled.Count;

    /// <summary>Of the last connection that opened; "" before the first.</summary>
    public string Node { get; private set; } = "";

    /// <summary>How often a stream was opened.</summary>
    public int Connections { get; private set; }

    /// <summary>Batches that were sent back for later.</summary>
    public int Deferrals { get; private set; }

    /// <summary>How the last stream ended, or "".</summary>
    public string LastEnd { get; private set; } = "";

    public ReadOnlyMemory<byte> Id => _id.Memory;

    public static MintingCollector Start(Oracle oracle, MintingOptions options) => new(oracle, options);

    /// <summary>Stops minting and waits until everything is acknowledged.</summary>
    public async Task DrainAsync(TimeSpan patience)
    {
        _isMinting = false;
        await _minting;
        _isDraining = true;
        foreach (var kept in _unsettled.Values)
        {
            kept.IsDue = true;
        }

        _work.Release();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        using var late = new CancellationTokenSource(patience);
        while (!_unsettled.IsEmpty && !late.IsCancellationRequested)
        {
            await timer.WaitForNextTickAsync(CancellationToken.None);
        }
    }

    public void Pause() => _isMinting = false;

    public async ValueTask DisposeAsync()
    {
        _isMinting = false;
        await _stopped.CancelAsync();
        await Task.WhenAll(_minting, _sending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopped.Dispose();
        _work.Dispose();
    }

    private async Task MintAsync()
    {
        using var timer = new PeriodicTimer(_options.Every);
        while (_isMinting && await timer.WaitForNextTickAsync(CancellationToken.None))
        {
            var sequence = ++_sequence;
            var series = _options.Series[(int)(sequence % (ulong)_options.Series.Count)];
            var (name, submit) = _oracle.Mint(_id, _epoch, sequence, series, TimeProvider.System.GetUtcNow() + _options.ClockAhead - _options.TakenAgo);
            _unsettled[sequence] = new Kept(name, submit);
            _work.Release();
        }
    }

    private async Task SendAsync()
    {
        var next = Random.Shared.Next(_options.Addresses.Count);
        while (!_stopped.IsCancellationRequested)
        {
            try
            {
                await StreamAsync(_options.Addresses[next++ % _options.Addresses.Count]);
                LastEnd = "closed";
            }
            catch (Exception cause) when (cause is RpcException or OperationCanceledException or IOException or InvalidOperationException or ObjectDisposedException)
            {
                LastEnd = cause is RpcException rpc ? $"{rpc.StatusCode}: {rpc.Status.Detail}" : cause.Message;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100 + Random.Shared.Next(400)), _stopped.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task StreamAsync(Uri address)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(_stopped.Token);
        using var channel = GrpcChannel.ForAddress(address, new GrpcChannelOptions
        {
            DisposeHttpClient = true,
            HttpHandler = new SocketsHttpHandler
            {
                ConnectTimeout = TimeSpan.FromSeconds(2),
                KeepAlivePingDelay = TimeSpan.FromSeconds(5),
                KeepAlivePingTimeout = TimeSpan.FromSeconds(5),
                SslOptions = _options.Tls?.Client() ?? new SslClientAuthenticationOptions(),
            },
        });
        using var call = new Ingest.IngestClient(channel).Stream(cancellationToken: ended.Token);
        ended.CancelAfter(TimeSpan.FromSeconds(4));
        await call.RequestStream.WriteAsync(
            new CollectorMessage { Hello = new Hello { CollectorId = _id, Epoch = _epoch, Instance = _instance, Host = "minting", Version = "0" } }, ended.Token);
        Assert.True(await call.ResponseStream.MoveNext(ended.Token), "no Welcome");
        ended.CancelAfter(Timeout.InfiniteTimeSpan);
        (Node, Connections) = (call.ResponseStream.Current.Welcome.Node, Connections + 1);
        foreach (var kept in _unsettled.Values)
        {
            kept.IsDue = true;
        }

        var writing = WriteAsync(call.RequestStream, call.ResponseStream.Current.Welcome.CreditBytes, ended.Token);
        _ = writing.ContinueWith(_ => ended.CancelAsync(), CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        try
        {
            while (await call.ResponseStream.MoveNext(ended.Token))
            {
                Take(call.ResponseStream.Current);
            }
        }
        finally
        {
            await ended.CancelAsync();
            await writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task WriteAsync(IClientStreamWriter<CollectorMessage> requests, long credit, CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            var inFlight = _unsettled.Values.Where(kept => !kept.IsDue).Sum(kept => (long)kept.Submit.Payload.Length);
            var settledBelow = 0ul;
            // ToArray of the dictionary itself: it changes while it is read.
            foreach (var (sequence, kept) in _unsettled.ToArray().OrderBy(pair => pair.Key))
            {
                settledBelow = settledBelow == 0 ? sequence : settledBelow;
                kept.IsDue |= kept.LastSent is { } last && TimeProvider.System.GetElapsedTime(last) > _options.ResendAfter;
                if (!kept.IsDue || inFlight + kept.Submit.Payload.Length > credit || !_unsettled.ContainsKey(sequence))
                {
                    continue;
                }

                kept.IsDue = false;
                inFlight += kept.Submit.Payload.Length;
                await requests.WriteAsync(new CollectorMessage { Submit = Envelope(kept, settledBelow) }, cancellation);
            }

            await _work.WaitAsync(TimeSpan.FromMilliseconds(500), cancellation);
        }
    }

    private Submit Envelope(Kept kept, ulong settledBelow)
    {
        var submit = kept.Submit.Clone();
        submit.SettledBelow = settledBelow;
        submit.Hurry = _isDraining;
        submit.SentUnixMillis = (TimeProvider.System.GetUtcNow() + _options.ClockAhead).ToUnixTimeMilliseconds();
        submit.Resent = kept.FirstSent is not null;
        if (kept.FirstSent is { } first)
        {
            submit.SentMillisAgo = (ulong)TimeProvider.System.GetElapsedTime(first).TotalMilliseconds + 1;
            _oracle.OnResent();
        }

        kept.LastSent = TimeProvider.System.GetTimestamp();
        kept.FirstSent ??= kept.LastSent;
        return submit;
    }

    private void Take(AggregatorMessage answer)
    {
        foreach (var sequence in answer.Stored?.Sequences.AsEnumerable() ?? [])
        {
            if (_unsettled.TryRemove(sequence, out var kept))
            {
                _oracle.OnAcknowledged(kept.Name);
            }
        }

        if (answer.Deferred is { } deferred && _unsettled.TryGetValue(deferred.Sequence, out var later))
        {
            Deferrals++;
            later.LastSent = TimeProvider.System.GetTimestamp() - (long)((_options.ResendAfter - TimeSpan.FromMilliseconds(deferred.RetryAfterMillis)).TotalSeconds * TimeProvider.System.TimestampFrequency);
        }

        if (answer.Refused is { } refused && _unsettled.TryRemove(refused.Sequence, out var lost))
        {
            _oracle.OnRefused(lost.Name);
        }
    }

    /// <summary>A batch until it is settled.</summary>
    private sealed class Kept(string name, Submit submit)
    {
        public string Name => name;

        public Submit Submit => submit;

        public bool IsDue { get; set; } = true;

        /// <summary>Timestamps of the system's clock; null: not yet.</summary>
        public long? FirstSent { get; set; }

        public long? LastSent { get; set; }
    }
}
