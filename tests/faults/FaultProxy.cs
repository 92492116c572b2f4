using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace ActorProfiler.Tests.Faults;

/// <summary>A TCP line between two programs that fails on demand.</summary>
internal sealed class FaultProxy : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly IPEndPoint _target;
    private readonly CancellationTokenSource _stopped = new();
    private readonly ConcurrentDictionary<Socket, byte> _open = new();
    private readonly Task _accepting;
    private TaskCompletionSource _flows = new();

    private FaultProxy(string address, IPEndPoint target)
    {
        _target = target;
        _listener = new TcpListener(IPAddress.Parse(address), 0);
        _listener.Start();
        _flows.SetResult();
        _accepting = AcceptAsync();
    }

    /// <summary>How late each piece of data comes out.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>Bytes from the connecting end after which its connection is reset; null: never.</summary>
    public long? ByteLimit { get; set; }

    /// <summary>New connections are taken, and what comes over them goes nowhere.</summary>
    public bool IsBlackHole { get; set; }

    public IPEndPoint Address => (IPEndPoint)_listener.LocalEndpoint;

    /// <summary>Connections taken so far.</summary>
    public int Taken { get; private set; }

    public static FaultProxy Start(string address, IPEndPoint target) => new(address, target);

    /// <summary>Nothing passes any more, in either direction, and no end is told.</summary>
    public void Freeze() => _flows = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Thaw() => _flows.TrySetResult();

    /// <summary>Ends all connections, by an end of stream or by a reset.</summary>
    public void Cut(bool reset)
    {
        foreach (var socket in _open.Keys)
        {
            if (reset)
            {
                socket.Close(timeout: 0);
            }

            socket.Dispose();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopped.CancelAsync();
        _listener.Dispose();
        Thaw();
        Cut(reset: true);
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopped.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            var near = await _listener.AcceptSocketAsync(_stopped.Token);
            Taken++;
            _ = JoinAsync(near);
        }
    }

    private async Task JoinAsync(Socket near)
    {
        using var far = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        _open[near] = _open[far] = 0;
        try
        {
            await far.ConnectAsync(_target, _stopped.Token);
            await Task.WhenAny(CopyAsync(near, far, isUp: true), CopyAsync(far, near, isUp: false));
        }
        catch (Exception over) when (over is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            near.Close(timeout: 0);
        }

        near.Dispose();
        _open.TryRemove(near, out _);
        _open.TryRemove(far, out _);
    }

    private async Task CopyAsync(Socket from, Socket to, bool isUp)
    {
        var buffer = new byte[64 << 10];
        var passed = 0L;
        try
        {
            while (await from.ReceiveAsync(buffer, _stopped.Token) is > 0 and var read)
            {
                if (Delay > TimeSpan.Zero)
                {
                    await Task.Delay(Delay, TimeProvider.System, _stopped.Token);
                }

                await _flows.Task;
                passed += read;
                if (isUp && ByteLimit is { } limit && passed > limit)
                {
                    from.Close(timeout: 0);
                    to.Close(timeout: 0);
                    return;
                }

                if (!IsBlackHole)
                {
                    await to.SendAsync(buffer.AsMemory(0, read), _stopped.Token);
                }
            }
        }
        catch (Exception over) when (over is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            from.Close(timeout: 0);
        }
    }
}
