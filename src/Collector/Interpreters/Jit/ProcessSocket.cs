using System.Net.Sockets;
using ActorProfiler.Collector.Elf;
using ActorProfiler.Collector.Processes;

namespace ActorProfiler.Collector.Interpreters.Jit;

/// <summary>A UNIX socket that a process offers in its own <c>/tmp</c>.</summary>
internal static class ProcessSocket
{
    /// <summary>Where runtimes put their sockets and maps, as the process sees it.</summary>
    public const string Folder = "/tmp";

    /// <summary>Connects to the socket <paramref name="name"/>, if the process itself or root made it. Null when there is none.</summary>
    /// <exception cref="SocketException">It is there and does not take connections.</exception>
    public static async Task<Socket?> ConnectAsync(ProcessImage image, string name, CancellationToken cancellation)
    {
        using var folder = ForeignFolder.Open(image.Identity.Pid, Folder);
        using var found = folder?.FindSocket(name, [image.Status?.EffectiveUser ?? 0, 0]);
        if (found is null)
        {
            return null;
        }

        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            // Through the handle: the name could lead elsewhere by now.
            await socket.ConnectAsync(new UnixDomainSocketEndPoint($"/proc/self/fd/{found.DangerousGetHandle()}"), cancellation);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Fills <paramref name="buffer"/>, or as much of it as comes before the other side closes. Returns how much.</summary>
    public static async Task<int> ReceiveAsync(Socket socket, Memory<byte> buffer, CancellationToken cancellation)
    {
        var received = 0;
        while (received < buffer.Length && await socket.ReceiveAsync(buffer[received..], cancellation) is var count and > 0)
        {
            received += count;
        }

        return received;
    }
}
