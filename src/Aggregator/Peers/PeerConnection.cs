using System.Buffers;
using System.Buffers.Binary;
using System.Threading.Channels;
using Akka.Actor;
using Akka.Remote.Transport;
using Google.Protobuf;

namespace ActorProfiler.Aggregator.Peers;

/// <summary>
/// One connection to another aggregator. A frame is its length, four bytes with the highest first, and as many bytes.
/// </summary>
/// <remarks>
/// Bounded: a frame above <see cref="FrameLimit"/> ends the connection unread, and what waits to be written is at most
/// <see cref="QueueLimit"/>; one that takes nothing for <see cref="_writeTimeout"/> is closed.
/// </remarks>
#pragma warning disable CA1001 // a source without timer and links holds nothing to dispose
internal sealed class PeerConnection(Address local, Address remote, Stream stream) : AssociationHandle(local, remote)
#pragma warning restore CA1001
{
    public const int FrameLimit = 1 << 20;

    /// <summary>Bytes that may wait to be written.</summary>
    public const int QueueLimit = 8 << 20;

    private const int LengthBytes = 4;

    private static readonly TimeSpan _writeTimeout = TimeSpan.FromSeconds(15);

    private readonly Channel<ByteString> _outbound = Channel.CreateUnbounded<ByteString>(new UnboundedChannelOptions { SingleReader = true });
    private readonly CancellationTokenSource _closed = new();
    private long _queued;

    /// <summary>Reads and writes until either end closes.</summary>
    /// <param name="onEnd">Called once, when it is over.</param>
    public void Start(Action onEnd) => _ = RunAsync(onEnd);

    /// <summary>False when too much waits: the caller keeps the message and tries again.</summary>
    public override bool Write(ByteString payload)
    {
        if (_closed.IsCancellationRequested || Interlocked.Read(ref _queued) + payload.Length > QueueLimit)
        {
            return false;
        }

        Interlocked.Add(ref _queued, payload.Length);
        return _outbound.Writer.TryWrite(payload);
    }

    /// <summary>What was written so far still goes out.</summary>
#pragma warning disable CS0672 // the only way the base class has
    public override void Disassociate() => _outbound.Writer.TryComplete();
#pragma warning restore CS0672

    /// <summary>Ends it at once.</summary>
    public void Close()
    {
        _outbound.Writer.TryComplete();
        _closed.Cancel();
    }

    private async Task RunAsync(Action onEnd)
    {
        var reading = ReadAsync();
        await Task.WhenAny(reading, WriteAsync()).ConfigureAwait(false);
        Close();
        await stream.DisposeAsync().ConfigureAwait(false);
        await reading.ConfigureAwait(false);
        onEnd();
        if (ReadHandlerSource.Task.IsCompletedSuccessfully)
        {
            (await ReadHandlerSource.Task.ConfigureAwait(false)).Notify(new Disassociated(DisassociateInfo.Unknown));
        }
    }

    private async Task ReadAsync()
    {
        try
        {
            var length = new byte[LengthBytes];
            var listener = await ReadHandlerSource.Task.WaitAsync(_closed.Token).ConfigureAwait(false);
            while (true)
            {
                await stream.ReadExactlyAsync(length, _closed.Token).ConfigureAwait(false);
                var size = BinaryPrimitives.ReadUInt32BigEndian(length);
                if (size > FrameLimit)
                {
                    return;
                }

                var frame = new byte[size];
                await stream.ReadExactlyAsync(frame, _closed.Token).ConfigureAwait(false);
                listener.Notify(new InboundPayload(UnsafeByteOperations.UnsafeWrap(frame)));
            }
        }
        catch (Exception over) when (IsEnd(over))
        {
            _outbound.Writer.TryComplete();
        }
    }

    private async Task WriteAsync()
    {
        try
        {
            await foreach (var frame in _outbound.Reader.ReadAllAsync(_closed.Token).ConfigureAwait(false))
            {
                using var late = CancellationTokenSource.CreateLinkedTokenSource(_closed.Token);
                late.CancelAfter(_writeTimeout);
                await WriteAsync(frame, late.Token).ConfigureAwait(false);
                Interlocked.Add(ref _queued, -frame.Length);
            }
        }
        catch (Exception over) when (IsEnd(over))
        {
            _outbound.Writer.TryComplete();
        }
    }

    private async Task WriteAsync(ByteString frame, CancellationToken cancellation)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(LengthBytes + frame.Length);
        try
        {
            BinaryPrimitives.WriteUInt32BigEndian(buffer, (uint)frame.Length);
            frame.Span.CopyTo(buffer.AsSpan(LengthBytes));
            await stream.WriteAsync(buffer.AsMemory(0, LengthBytes + frame.Length), cancellation).ConfigureAwait(false);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static bool IsEnd(Exception cause) => cause is IOException or OperationCanceledException or ObjectDisposedException;
}
